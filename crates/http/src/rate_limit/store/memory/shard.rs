//! One shard: a table of windows with chained buckets, and per policy the order in which they end.

use std::hash::RandomState;

use super::super::super::window::{self, Window};
use super::super::super::{LimitKey, Quota, Timestamp};
use super::entry::{Entry, Index, NONE};
use super::order::{Order, at};
use super::{Generation, Slot, hash_of};

/// Entries a shard can number.
pub(super) const MOST_ENTRIES: usize = NONE as usize;
/// Windows that are over and dropped, at most, whenever a new one is added: two for one keeps the table
/// near the number of live windows.
const DROPPED_PER_ADD: usize = 2;

#[derive(Debug)]
pub(super) struct Shard {
    entries: Vec<Entry>,
    /// The first entry of each bucket; a power of two long, at least as many as entries.
    buckets: Vec<Index>,
    first_free: Index,
    len: usize,
    room: usize,
    orders: Box<[Order]>,
    next_generation: u32,
    hasher: RandomState,
}

impl Shard {
    /// A shard for at most `room` windows, which must not be zero.
    pub(super) fn new(room: usize, policies: usize, hasher: RandomState) -> Self {
        Self {
            entries: Vec::new(),
            buckets: Vec::new(),
            first_free: NONE,
            len: 0,
            room,
            orders: vec![Order::EMPTY; policies].into(),
            next_generation: 0,
            hasher,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.buckets.capacity() * size_of::<Index>()
    }

    pub(super) fn reserve(
        &mut self,
        hash: u64,
        policy: usize,
        quota: Quota,
        key: LimitKey,
        now: Timestamp,
    ) -> Slot {
        let Some(index) = self.find(hash, policy, key) else {
            let decision = window::decide(now, None, quota);
            let generation = self.add(hash, policy, key, decision.window, now);
            return Slot {
                taken: decision.allowed,
                window: decision.window,
                generation,
            };
        };
        let decision = window::decide(now, Some(self.entries[at(index)].window()), quota);
        if decision.opened {
            self.entries[at(index)].generation = self.open_generation();
            self.orders[policy].remove(&mut self.entries, index);
            self.orders[policy].push_latest(&mut self.entries, index);
        }
        let entry = &mut self.entries[at(index)];
        entry.set_window(decision.window);
        Slot {
            taken: decision.allowed,
            window: decision.window,
            generation: entry.generation,
        }
    }

    pub(super) fn refund(
        &mut self,
        hash: u64,
        policy: usize,
        key: LimitKey,
        generation: Generation,
    ) -> Option<Window> {
        let index = self.find(hash, policy, key)?;
        let entry = &mut self.entries[at(index)];
        if entry.generation != generation {
            return None;
        }
        let window = entry.window().refunded();
        entry.set_window(window);
        Some(window)
    }

    pub(super) fn peek(
        &self,
        hash: u64,
        policy: usize,
        quota: Quota,
        key: LimitKey,
        now: Timestamp,
    ) -> Window {
        let found = self.find(hash, policy, key);
        let state = found.map(|index| self.entries[at(index)].window());
        window::current(now, state, quota).0
    }

    fn open_generation(&mut self) -> Generation {
        self.next_generation = self.next_generation.wrapping_add(1);
        Generation(self.next_generation)
    }

    fn find(&self, hash: u64, policy: usize, key: LimitKey) -> Option<Index> {
        let mut index = *self.buckets.get(self.bucket(hash))?;
        while index != NONE {
            let entry = &self.entries[at(index)];
            if entry.key == key && entry.policy as usize == policy {
                return Some(index);
            }
            index = entry.next_in_bucket;
        }
        None
    }

    fn add(
        &mut self,
        hash: u64,
        policy: usize,
        key: LimitKey,
        window: Window,
        now: Timestamp,
    ) -> Generation {
        self.drop_ended(now);
        if self.len >= self.room {
            self.displace_earliest();
        }
        let number = u32::try_from(policy).expect("a policy number is an index of `orders`");
        let generation = self.open_generation();
        let index = self.place(Entry::new(key, number, generation, window));
        self.link(hash, index);
        self.orders[policy].push_latest(&mut self.entries, index);
        self.len += 1;
        generation
    }

    /// Puts `entry` into a free place, or a new one at the end.
    fn place(&mut self, entry: Entry) -> Index {
        if self.first_free != NONE {
            let index = self.first_free;
            self.first_free = self.entries[at(index)].next_in_bucket;
            self.entries[at(index)] = entry;
            return index;
        }
        if self.entries.len() == self.entries.capacity() {
            self.grow();
        }
        self.entries.push(entry);
        Index::try_from(self.entries.len() - 1).expect("`room` is at most MOST_ENTRIES")
    }

    /// Doubles the table, up to the shard's room, and spreads its entries over as many buckets.
    fn grow(&mut self) {
        let capacity = (self.entries.capacity() * 2)
            .clamp(4, self.room.max(4))
            .min(self.room);
        self.entries.reserve_exact(capacity - self.entries.len());
        self.buckets = vec![NONE; capacity.next_power_of_two()];
        for position in 0..self.entries.len() {
            let index = Index::try_from(position).expect("`room` is at most MOST_ENTRIES");
            let hash = self.hash_of(&self.entries[position]);
            self.link(hash, index);
        }
    }

    fn link(&mut self, hash: u64, index: Index) {
        let bucket = self.bucket(hash);
        self.entries[at(index)].next_in_bucket =
            std::mem::replace(&mut self.buckets[bucket], index);
    }

    /// The bucket of `hash`. Shards are told apart by its high bits, buckets by its low ones.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the low bits are wanted"
    )]
    fn bucket(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().wrapping_sub(1)
    }

    fn hash_of(&self, entry: &Entry) -> u64 {
        hash_of(&self.hasher, entry.key, entry.policy as usize)
    }

    fn drop_ended(&mut self, now: Timestamp) {
        for _ in 0..DROPPED_PER_ADD {
            match self.earliest() {
                Some(index) if self.entries[at(index)].window().ends_at <= now => {
                    self.remove(index);
                }
                _ => return,
            }
        }
    }

    fn displace_earliest(&mut self) {
        if let Some(index) = self.earliest() {
            self.remove(index);
        }
    }

    /// The window that ends first, over all policies.
    fn earliest(&self) -> Option<Index> {
        let fronts = self.orders.iter().map(|order| order.earliest());
        fronts
            .filter(|index| *index != NONE)
            .min_by_key(|index| self.entries[at(*index)].window().ends_at)
    }

    /// Removes the entry at `index`; its place becomes free.
    fn remove(&mut self, index: Index) {
        let entry = &self.entries[at(index)];
        let (policy, after) = (entry.policy as usize, entry.next_in_bucket);
        let bucket = self.bucket(self.hash_of(entry));
        if self.buckets[bucket] == index {
            self.buckets[bucket] = after;
        } else {
            let mut before = self.buckets[bucket];
            while self.entries[at(before)].next_in_bucket != index {
                before = self.entries[at(before)].next_in_bucket;
            }
            self.entries[at(before)].next_in_bucket = after;
        }
        self.orders[policy].remove(&mut self.entries, index);
        self.entries[at(index)].next_in_bucket = std::mem::replace(&mut self.first_free, index);
        self.len -= 1;
    }
}
