//! Decoders, for bodies that are whole and for those that are still on their way.

use std::io::Read;

/// What could be read of an encoded body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The bytes so far.
    pub(crate) data: Vec<u8>,
    /// Whether the encoded stream ended as its format says.
    pub(crate) is_complete: bool,
}

/// Decodes by the name in `Content-Encoding`; `None` for a coding nobody here knows. Zstandard with the window
/// that browsers allow (8 MiB).
pub(crate) fn decode(coding: &str, encoded: &[u8]) -> Option<Decoded> {
    let mut reader: Box<dyn Read + '_> = match coding {
        "" | "identity" => Box::new(encoded),
        "gzip" | "x-gzip" => Box::new(flate2::read::GzDecoder::new(encoded)),
        "deflate" => Box::new(flate2::read::ZlibDecoder::new(encoded)),
        "br" => Box::new(brotli::Decompressor::new(encoded, 4096)),
        "zstd" => {
            let mut decoder = zstd::stream::read::Decoder::new(encoded).ok()?;
            decoder.window_log_max(23).ok()?;
            Box::new(decoder)
        }
        _ => return None,
    };
    let mut decoded = Decoded::default();
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => decoded.is_complete = true,
            Ok(read) => {
                decoded.data.extend_from_slice(&buffer[..read]);
                continue;
            }
            Err(_) => {}
        }
        return Some(decoded);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_cut_stream_gives_what_there_is_and_is_not_complete() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"first").expect("memory");
        encoder.flush().expect("memory");
        let so_far = encoder.get_ref().clone();
        let whole = encoder.finish().expect("memory");
        let check = |bytes: &[u8], is_complete: bool| {
            let expected = Decoded {
                data: b"first".to_vec(),
                is_complete,
            };
            assert_eq!(decode("gzip", bytes), Some(expected));
        };
        check(&so_far, false);
        check(&whole, true);
        assert_eq!(decode("compress", b"x"), None);
    }
}
