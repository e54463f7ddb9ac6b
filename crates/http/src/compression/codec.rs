//! Incremental encoders behind one trait. They write to memory and do no I/O.

use std::fmt;
use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use zstd::stream::raw::CParameter;

use crate::coding::{Coding, Level};

/// An encoder that takes bytes bit by bit. What it has ready stands in [`output`](Self::output).
pub(super) trait Codec: Send {
    /// Takes all of `input`.
    fn write(&mut self, input: &[u8]) -> io::Result<()>;

    /// Makes everything taken so far decodable from the output.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the encoded stream; nothing may be written afterwards.
    fn finish(&mut self) -> io::Result<()>;

    /// The encoded bytes not yet taken away.
    fn output(&mut self) -> &mut Vec<u8>;
}

/// How much memory an encoder may use for one client, as the logarithm of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// 1 MiB, for exports.
    Wide,
    /// 64 KiB, for streams that many clients keep open.
    Narrow,
}

impl Window {
    fn log(self) -> u32 {
        match self {
            Self::Wide => 20,
            Self::Narrow => 16,
        }
    }
}

/// An encoder for a coding other than identity.
pub(super) fn codec(coding: Coding, level: Level, window: Window) -> io::Result<Box<dyn Codec>> {
    let zlib_level = Compression::new(level.get().into());
    match coding {
        Coding::Identity => Err(io::Error::other("identity has no encoder")),
        Coding::Gzip => Ok(Box::new(GzEncoder::new(Vec::new(), zlib_level))),
        Coding::Deflate => Ok(Box::new(ZlibEncoder::new(Vec::new(), zlib_level))),
        Coding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level.get().into())?;
            encoder.set_parameter(CParameter::WindowLog(window.log()))?;
            Ok(Box::new(encoder))
        }
        Coding::Brotli => {
            let writer = CompressorWriter::new(Vec::new(), 4096, level.get().into(), window.log());
            Ok(Box::new(Brotli::Open(Box::new(writer))))
        }
    }
}

macro_rules! zlib_codec {
    ($encoder:ty) => {
        impl Codec for $encoder {
            fn write(&mut self, input: &[u8]) -> io::Result<()> {
                self.write_all(input)
            }

            fn flush(&mut self) -> io::Result<()> {
                Write::flush(self)
            }

            fn finish(&mut self) -> io::Result<()> {
                self.try_finish()
            }

            fn output(&mut self) -> &mut Vec<u8> {
                self.get_mut()
            }
        }
    };
}

zlib_codec!(GzEncoder<Vec<u8>>);
zlib_codec!(ZlibEncoder<Vec<u8>>);

impl Codec for zstd::stream::write::Encoder<'static, Vec<u8>> {
    fn write(&mut self, input: &[u8]) -> io::Result<()> {
        self.write_all(input)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(self)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.do_finish()
    }

    fn output(&mut self) -> &mut Vec<u8> {
        self.get_mut()
    }
}

/// Brotli's writer can only be ended by giving it up.
enum Brotli {
    Open(Box<CompressorWriter<Vec<u8>>>),
    Finished(Vec<u8>),
}

impl Brotli {
    fn writer(&mut self) -> io::Result<&mut CompressorWriter<Vec<u8>>> {
        match self {
            Self::Open(writer) => Ok(writer),
            Self::Finished(_) => Err(io::Error::other("the stream has ended")),
        }
    }
}

impl Codec for Brotli {
    fn write(&mut self, input: &[u8]) -> io::Result<()> {
        self.writer()?.write_all(input)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer()?.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Self::Open(writer) = std::mem::replace(self, Self::Finished(Vec::new())) {
            *self = Self::Finished(writer.into_inner());
        }
        Ok(())
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Open(writer) => writer.get_mut(),
            Self::Finished(output) => output,
        }
    }
}

impl fmt::Debug for dyn Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

#[cfg(test)]
mod tests {
    use super::super::one_shot::tests::decode;
    use super::*;

    fn encode(coding: Coding, window: Window, pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut codec = codec(coding, Level::new(3), window).unwrap();
        let mut encoded = Vec::new();
        for piece in pieces {
            codec.write(piece).unwrap();
            codec.flush().unwrap();
            encoded.append(codec.output());
        }
        codec.finish().unwrap();
        encoded.append(codec.output());
        encoded
    }

    #[test]
    fn pieces_with_flushes_between_decode_to_the_whole() {
        let pieces: Vec<Vec<u8>> = (0..50)
            .map(|n| {
                format!("{{\"id\":{n},\"name\":\"user {n}\"}}\n")
                    .repeat(n)
                    .into_bytes()
            })
            .collect();
        for coding in &Coding::ALL[1..] {
            for window in [Window::Wide, Window::Narrow] {
                let encoded = encode(*coding, window, &pieces);
                assert_eq!(
                    decode(*coding, &encoded).unwrap(),
                    pieces.concat(),
                    "{coding:?}"
                );
            }
        }
    }

    #[test]
    fn an_empty_stream_is_a_valid_one() {
        for coding in &Coding::ALL[1..] {
            assert_eq!(
                decode(*coding, &encode(*coding, Window::Wide, &[])).unwrap(),
                b"",
                "{coding:?}"
            );
        }
    }
}
