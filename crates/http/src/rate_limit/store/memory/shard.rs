//! One shard: a table of counts with chained buckets, and per policy the order in which they are over.

use std::hash::RandomState;
use std::time::Duration;

use super::super::super::algorithm::{self, Algorithm, Gauge, Receipt, State, Verdict};
use super::super::super::{LimitKey, Quota, Timestamp};
use super::entry::{Cells, Entry, Index, NONE};
use super::hash_of;
use super::order::{Order, at};

/// Entries a shard can number.
pub(super) const MOST_ENTRIES: usize = NONE as usize;
/// Counts that are over and dropped, at most, whenever a new one is added: two for one keeps the table
/// near the number of live counts.
const DROPPED_PER_ADD: usize = 2;
/// Live counts compared when one has to make room and they are not in order.
const COMPARED: usize = 8;

#[derive(Debug)]
pub(super) struct Shard {
    entries: Vec<Entry>,
    /// Those of the entries, when any policy has sliding windows; else empty.
    cells: Vec<Cells>,
    has_cells: bool,
    /// The first entry of each bucket; a power of two long, at least as many as entries.
    buckets: Vec<Index>,
    first_free: Index,
    len: usize,
    room: usize,
    orders: Box<[Order]>,
    quotas: Box<[Quota]>,
    hasher: RandomState,
}

impl Shard {
    /// A shard for at most `room` counts, which must not be zero.
    pub(super) fn new(room: usize, quotas: &[Quota], hasher: RandomState) -> Self {
        let sliding = |quota: &Quota| quota.algorithm() == Algorithm::SlidingWindow;
        Self {
            entries: Vec::new(),
            cells: Vec::new(),
            has_cells: quotas.iter().any(sliding),
            buckets: Vec::new(),
            first_free: NONE,
            len: 0,
            room,
            orders: vec![Order::EMPTY; quotas.len()].into(),
            quotas: quotas.into(),
            hasher,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.cells.capacity() * size_of::<Cells>()
            + self.buckets.capacity() * size_of::<Index>()
    }

    pub(super) fn reserve(
        &mut self,
        hash: u64,
        policy: usize,
        quota: Quota,
        key: LimitKey,
        cost: u32,
        now: Timestamp,
    ) -> Verdict {
        let Some(index) = self.find(hash, policy, key) else {
            let decision = algorithm::decide(now, None, quota, cost);
            self.add(hash, policy, key, &decision.state, now);
            return Verdict::from(&decision);
        };
        let before = self.state(index);
        let decision = algorithm::decide(now, Some(before), quota, cost);
        if algorithm::ends_at(&before, quota) <= now {
            self.move_to_end(policy, index);
        }
        self.set_state(index, &decision.state);
        Verdict::from(&decision)
    }

    pub(super) fn settle(
        &mut self,
        (hash, policy, key): (u64, usize, LimitKey),
        quota: Quota,
        receipt: Receipt,
        (reserved, cost): (u32, u32),
        now: Timestamp,
    ) -> Option<Gauge> {
        let found = self.find(hash, policy, key);
        // What was taken is over and gone; what the request costs beyond it counts from now on.
        if found.is_none() && cost <= reserved {
            return None;
        }
        let before = found.map_or_else(
            || algorithm::decide(now, None, quota, 0).state,
            |index| self.state(index),
        );
        let after = algorithm::settle(now, before, quota, receipt, reserved, cost)?;
        match found {
            Some(index) => self.set_state(index, &after),
            None => self.add(hash, policy, key, &after, now),
        }
        Some(algorithm::gauge(now, Some(after), quota))
    }

    pub(super) fn peek(
        &self,
        hash: u64,
        policy: usize,
        quota: Quota,
        key: LimitKey,
        cost: u32,
        now: Timestamp,
    ) -> Verdict {
        let found = self.find(hash, policy, key);
        let state = found.map(|index| self.state(index));
        let next = algorithm::decide(now, state, quota, cost);
        Verdict {
            gauge: algorithm::gauge(now, state, quota),
            next_in: if next.allowed {
                Duration::ZERO
            } else {
                next.next_in
            },
            ..Verdict::from(&next)
        }
    }

    fn state(&self, index: Index) -> State {
        self.entries[at(index)].state(self.cells.get(at(index)))
    }

    fn set_state(&mut self, index: Index, state: &State) {
        self.entries[at(index)].set_state(state);
        if let Some(cells) = self.cells.get_mut(at(index)) {
            *cells = state.cells;
        }
    }

    fn ends_at(&self, index: Index) -> Timestamp {
        let policy = self.entries[at(index)].policy as usize;
        algorithm::ends_at(&self.state(index), self.quotas[policy])
    }

    pub(super) fn find(&self, hash: u64, policy: usize, key: LimitKey) -> Option<Index> {
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

    fn add(&mut self, hash: u64, policy: usize, key: LimitKey, state: &State, now: Timestamp) {
        self.drop_ended(now);
        if self.len >= self.room {
            self.displace();
        }
        let number = u32::try_from(policy).expect("a policy number is an index of `orders`");
        let index = self.place(Entry::new(key, number, state));
        self.set_state(index, state);
        self.link(hash, index);
        self.orders[policy].push_latest(&mut self.entries, index);
        self.len += 1;
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
        if self.has_cells {
            self.cells.push(Cells::default());
        }
        Index::try_from(self.entries.len() - 1).expect("`room` is at most MOST_ENTRIES")
    }

    /// Doubles the table, up to the shard's room, and spreads its entries over as many buckets.
    fn grow(&mut self) {
        let capacity = (self.entries.capacity() * 2)
            .clamp(4, self.room.max(4))
            .min(self.room);
        self.entries.reserve_exact(capacity - self.entries.len());
        if self.has_cells {
            self.cells.reserve_exact(capacity - self.cells.len());
        }
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

    /// Looks at the first of each order. What is over goes; what was used since it came there is over
    /// later than that, and goes to the end.
    fn drop_ended(&mut self, now: Timestamp) {
        for policy in 0..self.orders.len() {
            for _ in 0..DROPPED_PER_ADD {
                let first = self.orders[policy].earliest();
                if first == NONE {
                    break;
                }
                if self.ends_at(first) <= now {
                    self.remove(first);
                } else if self.quotas[policy].algorithm() == Algorithm::FixedWindow {
                    break;
                } else {
                    self.move_to_end(policy, first);
                }
            }
        }
    }

    fn move_to_end(&mut self, policy: usize, index: Index) {
        self.orders[policy].remove(&mut self.entries, index);
        self.orders[policy].push_latest(&mut self.entries, index);
    }

    /// Makes room where everything is live.
    fn displace(&mut self) {
        let policies = 0..self.orders.len();
        let worth = |index: &Index| (self.ends_at(*index), self.used(*index));
        let least = policies
            .filter_map(|policy| self.least_of(policy))
            .min_by_key(worth);
        let Some(index) = least else { return };
        let policy = self.entries[at(index)].policy as usize;
        let first = self.orders[policy].earliest();
        if first != index {
            self.move_to_end(policy, first);
        }
        self.remove(index);
    }

    /// What a policy would miss least: what is over first, and of those the one with the least used. Only
    /// fixed windows are in order; of others the first few are compared.
    fn least_of(&self, policy: usize) -> Option<Index> {
        let mut next = self.orders[policy].earliest();
        let few = if self.quotas[policy].algorithm() == Algorithm::FixedWindow {
            1
        } else {
            COMPARED
        };
        let candidates = std::iter::from_fn(|| {
            let index = (next != NONE).then_some(next)?;
            next = self.entries[at(index)].later;
            Some(index)
        });
        candidates
            .take(few)
            .min_by_key(|index| (self.ends_at(*index), self.used(*index)))
    }

    /// Units that count against the entry's key, by its own time.
    fn used(&self, index: Index) -> u32 {
        let state = self.state(index);
        let cells = state.cells.iter();
        cells.fold(state.count, |sum, cell| sum.saturating_add(*cell))
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
