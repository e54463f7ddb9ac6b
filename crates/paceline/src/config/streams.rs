//! `[export]` and `[stream]`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::reader::Section;
use super::values;

/// `[export]`: whole tables as one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// Whether `/api/export/{resource}` is served. Default true.
    pub enabled: bool,
    /// Exports under way at the same time; one more is answered with 503. Default 4.
    pub max_concurrent: NonZeroU32,
}

/// `[stream]`: changes and job events as they happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// The route. Default `/api/stream`.
    pub path: String,
    /// The pause after which an idle stream says that it lives. Default 15 s.
    pub heartbeat: Duration,
    /// Events kept for clients that come back. Default 1,024.
    pub buffer: NonZeroU32,
    /// Clients at the same time; one more is answered with 503, an `EventSource` with a stream that ends at once and
    /// says when to come back. Default 10,000.
    pub max_clients: NonZeroU32,
}

const fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the default is not zero")
}

impl Default for Export {
    fn default() -> Self {
        Self {
            enabled: true,
            max_concurrent: count(4),
        }
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            path: "/api/stream".to_owned(),
            heartbeat: Duration::from_secs(15),
            buffer: count(1_024),
            max_clients: count(10_000),
        }
    }
}

pub(super) fn export(section: &Section<'_, '_>) -> Export {
    let usual = Export::default();
    let max = section
        .integer32("max_concurrent", 1..=1_024)
        .and_then(NonZeroU32::new);
    let export = Export {
        enabled: section.boolean("enabled").unwrap_or(usual.enabled),
        max_concurrent: max.unwrap_or(usual.max_concurrent),
    };
    section.finish();
    export
}

pub(super) fn stream(section: &Section<'_, '_>) -> Stream {
    let usual = Stream::default();
    let buffer = section
        .integer32("buffer", 1..=1_000_000)
        .and_then(NonZeroU32::new);
    let clients = section
        .integer32("max_clients", 1..=1_000_000)
        .and_then(NonZeroU32::new);
    let stream = Stream {
        path: section.parsed("path", values::route).unwrap_or(usual.path),
        heartbeat: section
            .parsed("heartbeat", values::positive_duration)
            .unwrap_or(usual.heartbeat),
        buffer: buffer.unwrap_or(usual.buffer),
        max_clients: clients.unwrap_or(usual.max_clients),
    };
    section.finish();
    stream
}
