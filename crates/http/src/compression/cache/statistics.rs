//! What a cache of encoded bodies has done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Figures of an [`EncodedCache`](super::EncodedCache); the counts only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EncodedCacheStatistics {
    /// Answers whose encoded bytes were there already, or were being made for somebody else.
    pub hits: u64,
    /// Answers that had to be encoded.
    pub misses: u64,
    /// Bytes that were not sent, over all answers: those before encoding less those after.
    pub bytes_saved: u64,
    /// Time that was not spent encoding, by what it took the first time.
    pub time_saved: Duration,
    /// Hot bodies that were encoded again at a higher level and became smaller.
    pub upgrades: u64,
    /// Bytes of memory in use now.
    pub bytes: u64,
    /// Bodies kept now.
    pub entries: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) bytes_saved: AtomicU64,
    pub(super) nanoseconds_saved: AtomicU64,
    pub(super) upgrades: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> EncodedCacheStatistics {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EncodedCacheStatistics {
            hits: of(&self.hits),
            misses: of(&self.misses),
            bytes_saved: of(&self.bytes_saved),
            time_saved: Duration::from_nanos(of(&self.nanoseconds_saved)),
            upgrades: of(&self.upgrades),
            ..EncodedCacheStatistics::default()
        }
    }
}

pub(super) fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}
