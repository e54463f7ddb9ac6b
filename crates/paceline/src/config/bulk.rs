//! `[bulk]`: many rows in one request.

use std::num::NonZeroU32;
use std::time::Duration;

use super::reader::Section;
use super::values;

/// `[bulk]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bulk {
    /// Rows of one JSON array; its bytes are bounded by `max_body`. Default 1,000.
    pub max_rows: NonZeroU32,
    /// Lines of one NDJSON body. Default 100,000.
    pub max_lines: NonZeroU32,
    /// Bytes of one NDJSON body; a line is bounded by `max_body`. Default 64 MiB.
    pub max_size: usize,
    /// How long an NDJSON body may take to arrive, and again its transaction. Default 60 s.
    pub timeout: Duration,
}

impl Default for Bulk {
    fn default() -> Self {
        let count = |number| NonZeroU32::new(number).expect("the default is not zero");
        Self {
            max_rows: count(1_000),
            max_lines: count(100_000),
            max_size: 64 * 1024 * 1024,
            timeout: Duration::from_mins(1),
        }
    }
}

pub(super) fn bulk(section: &Section<'_, '_>) -> Bulk {
    let usual = Bulk::default();
    let count = |key, most| section.integer32(key, 1..=most).and_then(NonZeroU32::new);
    let bulk = Bulk {
        max_rows: count("max_rows", 100_000).unwrap_or(usual.max_rows),
        max_lines: count("max_lines", 10_000_000).unwrap_or(usual.max_lines),
        max_size: section
            .parsed("max_size", values::size)
            .unwrap_or(usual.max_size),
        timeout: section
            .parsed("timeout", values::positive_duration)
            .unwrap_or(usual.timeout),
    };
    section.finish();
    bulk
}
