//! Decoders, for what the layers encoded.

use std::io::Read;

/// Decodes `encoded` by the name in `Content-Encoding`; Zstandard with the window browsers allow.
pub(crate) fn decode(coding: &str, encoded: &[u8]) -> Vec<u8> {
    try_decode(coding, encoded).unwrap_or_else(|error| panic!("not valid {coding}: {error}"))
}

/// As [`decode`]; the error of a stream that is cut off.
pub(crate) fn try_decode(coding: &str, encoded: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    match reader(coding, encoded).read_to_end(&mut decoded) {
        Ok(_) => Ok(decoded),
        Err(error) => Err(error),
    }
}

/// What a client can show of a stream that goes on: everything up to where the bytes end.
pub(crate) fn decode_so_far(coding: &str, encoded: &[u8]) -> Vec<u8> {
    let (mut reader, mut decoded, mut buffer) = (reader(coding, encoded), Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        decoded.extend_from_slice(&buffer[..read]);
    }
    decoded
}

fn reader<'a>(coding: &str, encoded: &'a [u8]) -> Box<dyn Read + 'a> {
    match coding {
        "" => Box::new(encoded),
        "gzip" => Box::new(flate2::read::GzDecoder::new(encoded)),
        "deflate" => Box::new(flate2::read::ZlibDecoder::new(encoded)),
        "br" => Box::new(brotli::Decompressor::new(encoded, 4096)),
        "zstd" => {
            let mut decoder = zstd::stream::read::Decoder::new(encoded).unwrap();
            decoder.window_log_max(23).unwrap();
            Box::new(decoder)
        }
        other => panic!("unknown coding {other}"),
    }
}
