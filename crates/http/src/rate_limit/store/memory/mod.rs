//! Windows in this process' memory: sharded, and bounded whatever keys arrive.
//!
//! A [`MemoryStore`] holds at most its capacity of windows (one per key and policy), about 64 bytes each:
//! 1,048,576 windows, the default, are at most 64 MiB, and memory is taken only as keys come. When a
//! shard is full, a new key takes the place of the window that ends first: one that is over, if there is
//! any, and else the one that had the least left to limit. Its key starts anew with its next request. So
//! a flood of made-up keys can make limits forget early, but neither grow the store nor lock anyone out;
//! policies with long windows (logins) are forgotten last.

mod entry;
mod order;
mod shard;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::shard::Shard;
use super::super::window::Window;
use super::super::{LimitKey, Quota, Timestamp};

/// Shards a large store is divided into; a power of two.
const MOST_SHARDS: usize = 64;
/// Windows a shard should have room for before another shard pays.
const SHARD_SIZE: usize = 1_024;

/// Which window of which policy a key's slot was taken in.
///
/// The generation tells a window from the one before it, so that a slot can never be given back to a
/// window it was not taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u32);

/// What [`MemoryStore::reserve`] did.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Slot {
    /// Whether the slot was taken.
    pub taken: bool,
    /// The key's window afterwards.
    pub window: Window,
    /// Which window that is.
    pub generation: Generation,
}

/// Fixed windows by key and policy, in memory.
///
/// Locks one shard for a few hundred nanoseconds per call; the hash that spreads keys over shards is
/// seeded randomly, so nobody can aim at one.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

impl MemoryStore {
    /// The windows a store holds unless told otherwise.
    pub const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("not zero");

    /// A store for at most `capacity` windows, under policies numbered from 0 to `policies - 1`.
    ///
    /// Shards fill unevenly, so the first window may be displaced a few per cent before `capacity`.
    pub fn new(policies: usize, capacity: NonZeroUsize) -> Self {
        let capacity = capacity.get().min(shard::MOST_ENTRIES * MOST_SHARDS);
        let wanted = (capacity / SHARD_SIZE).clamp(1, MOST_SHARDS);
        let count = 1 << wanted.ilog2();
        let hasher = RandomState::new();
        let shards = (0..count)
            .map(|index| {
                let room = capacity / count + usize::from(index < capacity % count);
                Mutex::new(Shard::new(room, policies, hasher.clone()))
            })
            .collect();
        Self { shards, hasher }
    }

    /// Takes a slot of `key` under the policy number `policy`, if its window at `now` has one left.
    ///
    /// # Panics
    /// When there is no such policy.
    pub fn reserve(&self, policy: usize, quota: Quota, key: LimitKey, now: Timestamp) -> Slot {
        let (hash, mut shard) = self.shard(policy, key);
        shard.reserve(hash, policy, quota, key, now)
    }

    /// Gives back a slot taken in window `generation`, and answers the window afterwards; `None`, with
    /// nothing changed, when that window is over and replaced, or was displaced.
    pub fn refund(&self, policy: usize, key: LimitKey, generation: Generation) -> Option<Window> {
        let (hash, mut shard) = self.shard(policy, key);
        shard.refund(hash, policy, key, generation)
    }

    /// The window of `key` at `now`, without taking a slot.
    pub fn peek(&self, policy: usize, quota: Quota, key: LimitKey, now: Timestamp) -> Window {
        let (hash, shard) = self.shard(policy, key);
        shard.peek(hash, policy, quota, key, now)
    }

    /// How many windows are held now, those included that are over and not yet displaced.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether no window is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory the windows and their index take now.
    pub fn allocated_bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| lock(shard).allocated_bytes())
            .sum()
    }

    fn shard(&self, policy: usize, key: LimitKey) -> (u64, MutexGuard<'_, Shard>) {
        let hash = hash_of(&self.hasher, key, policy);
        let index = usize::try_from(hash >> 58).expect("6 bits fit") & (self.shards.len() - 1);
        (hash, lock(&self.shards[index]))
    }
}

/// One write of all bytes: the hasher is slower on several short ones.
fn hash_of(hasher: &RandomState, key: LimitKey, policy: usize) -> u64 {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(key.as_bytes());
    bytes[16..].copy_from_slice(&(policy as u64).to_ne_bytes());
    let mut hasher = hasher.build_hasher();
    hasher.write(&bytes);
    hasher.finish()
}

/// A shard is whole between any two of its steps, so a panic elsewhere while it was locked does no harm.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
