//! Compressing a whole body in one call, with encoders that are kept between calls.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::policy::CompressionPolicy;
use crate::coding::{Coding, Level};

/// Idle encoders kept for each coding; more may run at a time.
const MAX_IDLE: usize = 4;

/// The most scratch space an idle encoder keeps.
const MAX_IDLE_SCRATCH: usize = 1024 * 1024;

/// Compresses whole bodies as a [`CompressionPolicy`] says. Shared: clones of an `Arc` of it share the pool.
///
/// ```
/// use paceline_http::compression::{Coding, CompressionPolicy, Compressor};
///
/// let compressor = Compressor::new(CompressionPolicy::new());
/// let body = "a body that repeats itself, ".repeat(100);
/// let encoded = compressor.compress(Coding::Gzip, body.as_bytes()).expect("smaller");
/// assert!(encoded.len() < body.len() / 10);
/// ```
pub struct Compressor {
    policy: CompressionPolicy,
    idle: [Mutex<Vec<Encoder>>; 5],
    is_upgrading: Arc<AtomicBool>,
}

/// The right to encode one body harder; there is one at a time.
#[derive(Debug)]
pub(crate) struct UpgradeTurn(Arc<AtomicBool>);

impl Drop for UpgradeTurn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Compressor {
    /// A compressor with an empty pool.
    pub fn new(policy: CompressionPolicy) -> Self {
        Self {
            policy,
            idle: Default::default(),
            is_upgrading: Arc::default(),
        }
    }

    /// What is compressed, and how hard.
    pub fn policy(&self) -> &CompressionPolicy {
        &self.policy
    }

    /// The encoded bytes, in memory of exactly their size; `None` when they are not smaller than `body`, for
    /// identity, and should an encoder ever fail: then the body goes out as it is.
    ///
    /// Takes about 1 ms for 64 KiB; call it from a blocking thread for much more.
    pub fn compress(&self, coding: Coding, body: &[u8]) -> Option<Bytes> {
        if coding == Coding::Identity {
            return None;
        }
        let mut encoder = self.checkout(coding)?;
        if let Err(error) = encoder.encode(body) {
            tracing::warn!(%error, coding = coding.token(), "an encoder failed; the body goes out uncompressed");
            return None; // the encoder's state is unknown: it is not kept
        }
        let smaller =
            (encoder.output.len() < body.len()).then(|| Bytes::copy_from_slice(&encoder.output));
        self.give_back(coding, encoder);
        smaller
    }

    /// A turn to encode a hot body harder, unless another has it.
    pub(crate) fn begin_upgrade(&self) -> Option<UpgradeTurn> {
        let is_taken = self.is_upgrading.swap(true, Ordering::Acquire);
        (!is_taken).then(|| UpgradeTurn(Arc::clone(&self.is_upgrading)))
    }

    /// The bytes at the higher level, and that level as tags name it; `None` where it is not higher, or nothing is won.
    /// Takes up to a second for 1 MiB; call it from a blocking thread.
    pub(crate) fn compress_harder(
        &self,
        coding: Coding,
        body: &[u8],
    ) -> Option<(Bytes, Option<Level>)> {
        let levels = self.policy.higher_levels();
        let level = levels.get(coding);
        if level <= self.policy.levels().get(coding) {
            return None;
        }
        let mut encoder = Encoder::new(coding, level).ok()?;
        encoder.encode(body).ok()?;
        let is_smaller = encoder.output.len() < body.len();
        is_smaller.then(|| {
            (
                Bytes::copy_from_slice(&encoder.output),
                levels.named(coding),
            )
        })
    }

    fn checkout(&self, coding: Coding) -> Option<Encoder> {
        let idle = self.idle[coding.index()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.or_else(|| Encoder::new(coding, self.policy.levels().get(coding)).ok())
    }

    fn give_back(&self, coding: Coding, mut encoder: Encoder) {
        encoder.output.clear();
        encoder.output.shrink_to(MAX_IDLE_SCRATCH);
        let mut idle = self.idle[coding.index()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(encoder);
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// An encoder and the space it writes to.
struct Encoder {
    kind: Kind,
    output: Vec<u8>,
}

enum Kind {
    Zlib(Compress),
    Zstd(zstd::bulk::Compressor<'static>),
    Brotli(Level),
}

impl Encoder {
    fn new(coding: Coding, level: Level) -> io::Result<Self> {
        let zlib_level = Compression::new(level.get().into());
        let kind = match coding {
            Coding::Gzip => Kind::Zlib(Compress::new_gzip(zlib_level, 15)),
            Coding::Deflate => Kind::Zlib(Compress::new(zlib_level, true)),
            Coding::Zstd => Kind::Zstd(zstd::bulk::Compressor::new(level.get().into())?),
            Coding::Brotli => Kind::Brotli(level),
            Coding::Identity => return Err(io::Error::other("identity has no encoder")),
        };
        Ok(Self {
            kind,
            output: Vec::new(),
        })
    }

    /// Encodes `body` into the empty `output`.
    fn encode(&mut self, body: &[u8]) -> io::Result<()> {
        self.output.clear();
        match &mut self.kind {
            Kind::Zlib(zlib) => deflate(zlib, body, &mut self.output),
            Kind::Zstd(zstd) => {
                self.output
                    .reserve(zstd::zstd_safe::compress_bound(body.len()));
                zstd.compress_to_buffer(body, &mut self.output).map(drop)
            }
            Kind::Brotli(level) => {
                let mut writer = CompressorWriter::with_params(
                    std::mem::take(&mut self.output),
                    16 * 1024,
                    &brotli_params(*level, body.len()),
                );
                let written = writer.write_all(body);
                self.output = writer.into_inner();
                written
            }
        }
    }
}

fn deflate(zlib: &mut Compress, body: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
    zlib.reset();
    output.reserve(body.len() / 4 + 256);
    loop {
        let read = usize::try_from(zlib.total_in()).map_err(io::Error::other)?;
        match zlib.compress_vec(&body[read..], output, FlushCompress::Finish)? {
            Status::StreamEnd => return Ok(()),
            Status::Ok | Status::BufError => output.reserve(output.len().max(4096)),
        }
    }
}

/// A window no larger than the body needs: the encoder's memory follows it.
fn brotli_params(level: Level, length: usize) -> BrotliEncoderParams {
    let window = usize::BITS - length.max(1).leading_zeros();
    BrotliEncoderParams {
        quality: level.get().into(),
        lgwin: i32::try_from(window.clamp(16, 22)).expect("between 16 and 22"),
        size_hint: length,
        ..BrotliEncoderParams::default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    /// Decodes with decoders that were written by others than the encoders' wrappers above.
    pub(crate) fn decode(coding: Coding, encoded: &[u8]) -> io::Result<Vec<u8>> {
        let mut decoded = Vec::new();
        let mut reader: Box<dyn Read + '_> = match coding {
            Coding::Identity => Box::new(encoded),
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(encoded)),
            Coding::Deflate => Box::new(flate2::read::ZlibDecoder::new(encoded)),
            Coding::Brotli => Box::new(brotli::Decompressor::new(encoded, 4096)),
            Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(encoded)?),
        };
        reader.read_to_end(&mut decoded)?;
        Ok(decoded)
    }

    #[test]
    fn pooled_encoders_start_afresh_each_time() {
        for coding in &Coding::ALL[1..] {
            let compressor = Compressor::new(CompressionPolicy::new());
            for round in 0..3 {
                let body = format!("round {round}, ").repeat(10_000);
                let encoded = compressor.compress(*coding, body.as_bytes()).unwrap();
                assert_eq!(
                    decode(*coding, &encoded).unwrap(),
                    body.as_bytes(),
                    "{coding:?}"
                );
            }
        }
    }

    #[test]
    fn deflate_is_zlib_wrapped() {
        let encoded = Compressor::new(CompressionPolicy::new())
            .compress(Coding::Deflate, &[b'a'; 4096])
            .unwrap();
        assert_eq!(encoded[0] & 0x0f, 8);
        assert_eq!(
            (u16::from(encoded[0]) * 256 + u16::from(encoded[1])) % 31,
            0
        );
    }

    #[test]
    fn what_does_not_shrink_is_not_encoded() {
        let compressor = Compressor::new(CompressionPolicy::new());
        for coding in Coding::ALL {
            assert_eq!(compressor.compress(coding, b"short"), None, "{coding:?}");
        }
    }

    #[test]
    fn the_highest_zstd_level_keeps_its_window_within_eight_mebibytes() {
        let policy = CompressionPolicy::new().level(Coding::Zstd, Level::new(22));
        let body = vec![b'x'; 20 * 1024 * 1024];
        let encoded = Compressor::new(policy)
            .compress(Coding::Zstd, &body)
            .unwrap();
        let mut decoder = zstd::stream::read::Decoder::new(&encoded[..]).unwrap();
        decoder.window_log_max(23).unwrap();
        let mut output = Vec::new();
        decoder.read_to_end(&mut output).unwrap();
        assert_eq!(output.len(), body.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_coding_gives_back_what_went_in(seed in any::<Vec<u8>>(), times in 1_usize..40) {
            let body = seed.repeat(times);
            let compressor = Compressor::new(CompressionPolicy::new());
            for coding in Coding::ALL {
                if let Some(encoded) = compressor.compress(coding, &body) {
                    prop_assert_eq!(&decode(coding, &encoded).unwrap(), &body);
                }
            }
        }
    }
}
