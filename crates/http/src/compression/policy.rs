//! What is compressed, and how hard.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration;

use http::HeaderValue;

use super::levels::{CodingSet, Levels};
use crate::coding::Coding;

/// What is compressed, with which codings, at which levels and where.
///
/// ```
/// use paceline_http::compression::{Coding, CompressionPolicy, Level};
///
/// let policy = CompressionPolicy::new()
///     .min_size(512)
///     .level(Coding::Zstd, Level::new(5))
///     .allow_type("application/vnd.ms-fontobject");
/// assert!(policy.allows_type(&"application/problem+json; charset=utf-8".parse().unwrap()));
/// assert!(!policy.allows_type(&"image/png".parse().unwrap()));
/// ```
#[derive(Debug, Clone)]
pub struct CompressionPolicy {
    codings: CodingSet,
    levels: Levels,
    min_size: usize,
    offload_above: usize,
    one_shot_max: usize,
    flush_latency: Duration,
    event_streams: bool,
    upgrade_after: Option<NonZeroU32>,
    upgrade_levels: Levels,
    more_types: Vec<Cow<'static, str>>,
}

/// Uses after which a kept body is worth more work.
const HOT: NonZeroU32 = NonZeroU32::new(64).expect("not zero");

impl CompressionPolicy {
    /// The defaults: every coding at its default level, from 1,024 bytes on.
    pub fn new() -> Self {
        Self {
            codings: CodingSet::ALL,
            levels: Levels::default(),
            min_size: 1024,
            offload_above: 64 * 1024,
            one_shot_max: 1024 * 1024,
            flush_latency: Duration::from_millis(100),
            event_streams: true,
            upgrade_after: Some(HOT),
            upgrade_levels: Levels::highest(),
            more_types: Vec::new(),
        }
    }

    /// Which codings are offered (default: all).
    #[must_use]
    pub fn codings(mut self, codings: CodingSet) -> Self {
        self.codings = codings;
        self
    }

    /// Sets the level of one coding (defaults: [`Levels`]), moved into [`Coding::levels`].
    #[must_use]
    pub fn level(mut self, coding: Coding, level: super::Level) -> Self {
        self.levels = self.levels.with(coding, level);
        self
    }

    /// Bodies below this many bytes stay as they are (default 1,024), unless the client refuses identity.
    #[must_use]
    pub fn min_size(mut self, bytes: usize) -> Self {
        self.min_size = bytes;
        self
    }

    /// Buffered bodies above this many bytes are compressed on the blocking pool (default 64 KiB, which is
    /// about a millisecond of work).
    #[must_use]
    pub fn offload_above(mut self, bytes: usize) -> Self {
        self.offload_above = bytes;
        self
    }

    /// Buffered bodies above this many bytes are compressed as a stream by the layer (default 1 MiB).
    #[must_use]
    pub fn one_shot_max(mut self, bytes: usize) -> Self {
        self.one_shot_max = bytes;
        self
    }

    /// How long a stream that never pauses may keep what it was given (default 100 ms).
    #[must_use]
    pub fn flush_latency(mut self, latency: Duration) -> Self {
        self.flush_latency = latency;
        self
    }

    /// Whether `text/event-stream` is compressed (default yes). An encoder costs a client from its first event
    /// on about 0.3 MiB of memory.
    #[must_use]
    pub fn event_streams(mut self, compress: bool) -> Self {
        self.event_streams = compress;
        self
    }

    /// After how many uses a body that is kept in memory is encoded again in the background, at the
    /// [higher levels](Self::upgrade_level) (default 64; `None`: never). One body at a time, up to
    /// [`one_shot_max`](Self::one_shot_max); the new bytes are used only if they are fewer.
    #[must_use]
    pub fn upgrade_after(mut self, uses: Option<NonZeroU32>) -> Self {
        self.upgrade_after = uses;
        self
    }

    /// Sets the level of one coding for hot bodies (defaults: zstd 19, br 9, gzip and deflate 9).
    #[must_use]
    pub fn upgrade_level(mut self, coding: Coding, level: super::Level) -> Self {
        self.upgrade_levels = self.upgrade_levels.with(coding, level);
        self
    }

    /// Adds a media type, without parameters, to the allow-list.
    #[must_use]
    pub fn allow_type(mut self, essence: impl Into<Cow<'static, str>>) -> Self {
        self.more_types.push(essence.into());
        self
    }

    /// Whether bodies of this `Content-Type` are worth compressing: `text/*`, anything ending in `+json`,
    /// `+xml`, `+yaml` or `+text`, the usual textual `application/*`, WebAssembly, SVG, and what was added.
    pub fn allows_type(&self, content_type: &HeaderValue) -> bool {
        let essence = essence(content_type.as_bytes());
        if essence.eq_ignore_ascii_case(b"text/event-stream") {
            return self.event_streams;
        }
        is_textual(essence)
            || self
                .more_types
                .iter()
                .any(|known| essence.eq_ignore_ascii_case(known.as_bytes()))
    }

    pub(crate) fn offered(&self) -> CodingSet {
        self.codings
    }

    pub(crate) fn levels(&self) -> &Levels {
        &self.levels
    }

    pub(crate) fn higher_levels(&self) -> &Levels {
        &self.upgrade_levels
    }

    pub(crate) fn enough_uses(&self) -> Option<u32> {
        self.upgrade_after.map(NonZeroU32::get)
    }

    pub(crate) fn smallest(&self) -> usize {
        self.min_size
    }

    pub(crate) fn is_offloaded(&self, length: usize) -> bool {
        length > self.offload_above
    }

    pub(crate) fn largest_one_shot(&self) -> usize {
        self.one_shot_max
    }

    pub(crate) fn latency(&self) -> Duration {
        self.flush_latency
    }
}

impl Default for CompressionPolicy {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) fn is_event_stream(content_type: &HeaderValue) -> bool {
    essence(content_type.as_bytes()).eq_ignore_ascii_case(b"text/event-stream")
}

/// The media type without its parameters.
fn essence(content_type: &[u8]) -> &[u8] {
    content_type
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

fn is_textual(essence: &[u8]) -> bool {
    const TYPES: [&[u8]; 13] = [
        b"application/json",
        b"application/x-ndjson",
        b"application/ndjson",
        b"application/jsonl",
        b"application/json-seq",
        b"application/xml",
        b"application/javascript",
        b"application/ecmascript",
        b"application/yaml",
        b"application/toml",
        b"application/graphql",
        b"application/sql",
        b"application/wasm",
    ];
    const SUFFIXES: [&[u8]; 4] = [b"+json", b"+xml", b"+yaml", b"+text"];
    let ends_in = |suffix: &&[u8]| {
        essence.len() > suffix.len()
            && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    essence
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"text/"))
        || TYPES
            .iter()
            .any(|known| essence.eq_ignore_ascii_case(known))
        || SUFFIXES.iter().any(ends_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textual_types_are_compressed_and_the_rest_is_not() {
        let check = |content_type: &str, expected: bool| {
            let policy = CompressionPolicy::new()
                .event_streams(false)
                .allow_type("font/ttf");
            assert_eq!(
                policy.allows_type(&content_type.parse().unwrap()),
                expected,
                "{content_type}"
            );
        };
        check("application/json", true);
        check("Application/JSON ; charset=utf-8", true);
        check("application/vnd.api+json", true);
        check("application/problem+json", true);
        check("text/csv; header=present", true);
        check("image/svg+xml", true);
        check("application/x-ndjson", true);
        check("font/ttf", true);
        check("text/event-stream", false);
        check("image/png", false);
        check("application/octet-stream", false);
        check("multipart/byteranges; boundary=x", false);
        check("application/grpc", false);
        check("+json", false);
        check("", false);
        assert!(
            CompressionPolicy::new().allows_type(&HeaderValue::from_static("text/event-stream"))
        );
    }
}
