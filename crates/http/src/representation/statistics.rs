//! What a cache has done so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Figures of a [`VariantCache`](super::VariantCache); the counts only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Look-ups that found a valid entry.
    pub hits: u64,
    /// Look-ups that found none, or one that was not valid any more.
    pub misses: u64,
    /// Look-ups that found none but another request already making it, and waited.
    pub joins: u64,
    /// Answers made.
    pub renders: u64,
    /// Bodies compressed.
    pub compressions: u64,
    /// Answers sent from encoded bytes that were there already.
    pub encoded_hits: u64,
    /// Bytes that were not sent because answers were encoded.
    pub bytes_saved: u64,
    /// Time that was not spent encoding, by what it took the first time.
    pub time_saved: Duration,
    /// Hot answers that were encoded again at a higher level and became smaller.
    pub upgrades: u64,
    /// Entries that made room for others, or did not fit.
    pub evictions: u64,
    /// Bytes in use now: identity, variants, header fields and keys.
    pub bytes: u64,
    /// Entries kept now.
    pub entries: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) joins: Counter,
    pub(super) renders: Counter,
    pub(super) compressions: Counter,
    pub(super) encoded_hits: Counter,
    pub(super) bytes_saved: Counter,
    pub(super) nanoseconds_saved: Counter,
    pub(super) upgrades: Counter,
    pub(super) evictions: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn increment(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, number: usize) {
        self.0.fetch_add(number as u64, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
