//! Counts in this process' memory: sharded, and bounded whatever keys arrive.
//!
//! A [`MemoryStore`] holds at most its capacity of counts (one per key and policy). Full, it takes 55 bytes for
//! each: 1,048,576 counts, the default, are 55 MiB, and memory is taken only as keys come. With a sliding window
//! among the policies it is 95 bytes each. When a shard is full, a new key takes the place of the
//! count that is over first: one that is over, if there is any, and else the one that had the least left
//! to limit. Its key starts anew with its next request. So a flood of made-up keys can make limits forget
//! early, but neither grow the store nor lock anyone out; policies with long windows (logins) are
//! forgotten last.

mod entry;
mod hash;
mod order;
mod shard;
mod table;

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::hash::KeyHasher;
use self::shard::Shard;
use super::super::algorithm::{Gauge, Receipt, Verdict};
use super::super::{LimitKey, Quota, Timestamp};

/// Shards a large store is divided into; a power of two.
const MOST_SHARDS: usize = 64;
/// Counts a shard should have room for before another shard pays.
const SHARD_SIZE: usize = 1_024;

/// Counts by key and policy, in memory.
///
/// Locks one shard for well under a microsecond per call; the hash that spreads keys over shards is
/// seeded randomly, so nobody can aim at one.
///
/// ```
/// use std::num::{NonZeroU32, NonZeroUsize};
/// use std::time::Duration;
/// use paceline_http::rate_limit::{LimitKey, MemoryStore, Quota, Timestamp};
///
/// let quota = Quota::new(NonZeroU32::new(2).unwrap(), Duration::from_mins(1))?;
/// let store = MemoryStore::new([quota], NonZeroUsize::new(1_000).unwrap());
/// let (key, now) = (LimitKey::of("someone"), Timestamp::default());
/// assert_eq!(store.reserve(0, key, 1, now).gauge.remaining, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    quotas: Box<[Quota]>,
    shards: Box<[Mutex<Shard>]>,
    hasher: KeyHasher,
}

impl MemoryStore {
    /// The counts a store holds unless told otherwise.
    pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("not zero");

    /// A store for at most `capacity` counts, under policies with these quotas, numbered from 0.
    ///
    /// Shards fill unevenly, so the first count may be displaced a few per cent before `capacity`.
    pub fn new(quotas: impl IntoIterator<Item = Quota>, capacity: NonZeroUsize) -> Self {
        let quotas: Box<[Quota]> = quotas.into_iter().collect();
        let capacity = capacity.get().min(table::MOST_ENTRIES * MOST_SHARDS);
        let wanted = (capacity / SHARD_SIZE).clamp(1, MOST_SHARDS);
        let count = 1 << wanted.ilog2();
        let hasher = KeyHasher::new();
        let shards = (0..count)
            .map(|index| {
                let room = capacity / count + usize::from(index < capacity % count);
                Mutex::new(Shard::new(room, &quotas, hasher.clone()))
            })
            .collect();
        Self {
            quotas,
            shards,
            hasher,
        }
    }

    /// Takes `cost` units of `key` under the policy number `policy`, if there are as many at `now`.
    ///
    /// # Panics
    /// When there is no such policy.
    pub fn reserve(&self, policy: usize, key: LimitKey, cost: u32, now: Timestamp) -> Verdict {
        let quota = self.quotas[policy];
        let (hash, mut shard) = self.shard(policy, key);
        shard.reserve(hash, policy, quota, key, cost, now)
    }

    /// Makes a request that took `reserved` units cost `cost`, and answers what is left then; `None`,
    /// with nothing changed, when what was taken is gone by itself.
    ///
    /// # Panics
    /// When there is no such policy.
    pub fn settle(
        &self,
        policy: usize,
        key: LimitKey,
        receipt: Receipt,
        (reserved, cost): (u32, u32),
        now: Timestamp,
    ) -> Option<Gauge> {
        let quota = self.quotas[policy];
        let (hash, mut shard) = self.shard(policy, key);
        shard.settle((hash, policy, key), quota, receipt, (reserved, cost), now)
    }

    /// What would be found for a request of `cost` units at `now`, without taking any.
    ///
    /// # Panics
    /// When there is no such policy.
    pub fn peek(&self, policy: usize, key: LimitKey, cost: u32, now: Timestamp) -> Verdict {
        let quota = self.quotas[policy];
        let (hash, shard) = self.shard(policy, key);
        shard.peek(hash, policy, quota, key, cost, now)
    }

    /// How many counts are held now, those included that are over and not yet displaced.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether no count is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory the counts and their index take now.
    pub fn allocated_bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).allocated_bytes())
            .sum()
    }

    fn shard(&self, policy: usize, key: LimitKey) -> (u64, MutexGuard<'_, Shard>) {
        let number = u32::try_from(policy).expect("policies are numbered in 32 bits");
        let hash = self.hasher.hash(key, number);
        let index = usize::try_from(hash >> 58).expect("6 bits fit") & (self.shards.len() - 1);
        (hash, lock(&self.shards[index]))
    }
}

/// A shard is whole between any two of its steps, so a panic elsewhere while it was locked does no harm.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
