//! Where entries are kept within a budget of bytes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use super::entry::Entry;
use super::statistics::Counters;

/// The least a shard holds; smaller budgets have fewer shards.
const MIN_SHARD: u64 = 4 * 1024 * 1024;

/// An entry may take this share of a shard in identity. With every coding at its worst it still fits.
const ENTRY_SHARE: u64 = 8;

/// What an entry is expected to take, for the first size of the index.
const TYPICAL_ENTRY: u64 = 8 * 1024;

pub(super) type Key = Arc<[u8]>;

/// Entries by key, within a budget.
pub(super) struct Shelf<V> {
    entries: Cache<Key, Slot<V>, SlotWeight, DefaultHashBuilder, FreeOutsideLock>,
    /// Held while an entry is put in or weighed anew, so that weights are never those of an older state.
    admission: Mutex<()>,
    largest: u64,
    pub(super) counters: Counters,
}

/// An entry and its weight when it was put here. The entry itself grows.
struct Slot<V> {
    entry: Arc<Entry<V>>,
    weight: u64,
}

impl<V> Shelf<V> {
    pub(super) fn new(budget: u64) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = usize::try_from(budget / MIN_SHARD)
            .unwrap_or(usize::MAX)
            .clamp(1, 4 * processors);
        let shards = 1 << shards.ilog2();
        let typical = usize::try_from(budget / TYPICAL_ENTRY)
            .unwrap_or(usize::MAX)
            .clamp(32 * shards, 1 << 16);
        let options = OptionsBuilder::new()
            .shards(shards)
            .weight_capacity(budget)
            .estimated_items_capacity(typical)
            .build()
            .expect("both required options are given");
        let entries = Cache::with_options(
            options,
            SlotWeight,
            DefaultHashBuilder::default(),
            FreeOutsideLock,
        );
        let largest = entries.shard_capacity() / ENTRY_SHARE;
        Self {
            entries,
            admission: Mutex::new(()),
            largest,
            counters: Counters::default(),
        }
    }

    /// The most bytes an entry may take in identity.
    pub(super) fn largest(&self) -> u64 {
        self.largest
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Arc<Entry<V>>> {
        self.entries.get(key).map(|slot| slot.entry)
    }

    /// Keeps an entry, in the place of any other with its key; one that is too large is not kept.
    pub(super) fn put(&self, entry: Arc<Entry<V>>) {
        let (key, weight) = (Arc::clone(entry.key()), entry.weight());
        let mut freed = Freed::new();
        let admission = self.admit();
        if weight > self.largest {
            self.entries.remove(&*key);
            self.counters.evictions.increment();
        } else {
            self.entries.insert_with_lifecycle(
                Arc::clone(&key),
                Slot { entry, weight },
                &mut freed,
            );
            self.count_evictions(&key, &freed);
        }
        drop(admission);
    }

    /// Weighs an entry anew after it has grown, unless it is not kept any more.
    pub(super) fn reweigh(&self, key: &Key) {
        let mut freed = Freed::new();
        let admission = self.admit();
        if let Some(Slot { entry, .. }) = self.entries.peek(&**key) {
            let slot = Slot {
                weight: entry.weight(),
                entry,
            };
            // Refused only when the entry has just gone, and then there is nothing to weigh.
            let _ = self
                .entries
                .replace_with_lifecycle(Arc::clone(key), slot, true, &mut freed);
            self.count_evictions(key, &freed);
        }
        drop(admission);
    }

    /// Counts those that made room for the entry under `key`, and that entry if it did not fit itself. What it
    /// replaced under its own key is no eviction.
    fn count_evictions(&self, key: &Key, freed: &Freed<V>) {
        let others = freed.iter().filter(|slot| slot.entry.key() != key).count();
        let itself = usize::from(!self.entries.contains_key(&**key));
        self.counters.evictions.add(others + itself);
    }

    pub(super) fn clear(&self) {
        let _admission = self.admit();
        self.entries.clear();
    }

    pub(super) fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    pub(super) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    fn admit(&self) -> MutexGuard<'_, ()> {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Clone for Slot<V> {
    fn clone(&self) -> Self {
        Self {
            entry: Arc::clone(&self.entry),
            weight: self.weight,
        }
    }
}

#[derive(Clone)]
struct SlotWeight;

impl<V> Weighter<Key, Slot<V>> for SlotWeight {
    fn weight(&self, _key: &Key, slot: &Slot<V>) -> u64 {
        slot.weight
    }
}

/// What left the shelf in one operation.
type Freed<V> = Vec<Slot<V>>;

/// Hands what leaves the cache to the caller, so that it is counted, and freed after the shard's lock.
#[derive(Clone)]
struct FreeOutsideLock;

impl<V> Lifecycle<Key, Slot<V>> for FreeOutsideLock {
    type RequestState = Freed<V>;

    fn on_evict(&self, freed: &mut Freed<V>, _key: Key, slot: Slot<V>) {
        freed.push(slot);
    }
}

impl<V> fmt::Debug for Shelf<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("bytes", &self.bytes())
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}
