//! One shard: a table of counts, and per policy the order in which they are over.

use std::time::Duration;

use super::super::super::algorithm::{self, Algorithm, Gauge, Receipt, State, Verdict};
use super::super::super::{LimitKey, Quota, Timestamp};
use super::entry::{Entry, Index, NONE, at};
use super::hash::KeyHasher;
use super::order::Order;
use super::table::Table;

/// Counts that are over and dropped, at most, whenever a new one is added: two for one keeps the table
/// near the number of live counts.
const DROPPED_PER_ADD: usize = 2;
/// Live counts compared when one has to make room and they are not in order.
const COMPARED: usize = 8;

#[derive(Debug)]
pub(super) struct Shard {
    table: Table,
    room: usize,
    orders: Box<[Order]>,
    quotas: Box<[Quota]>,
}

impl Shard {
    /// A shard for at most `room` counts, which must not be zero.
    pub(super) fn new(room: usize, quotas: &[Quota], hasher: KeyHasher) -> Self {
        let sliding = |quota: &Quota| quota.algorithm() == Algorithm::SlidingWindow;
        Self {
            table: Table::new(room, quotas.iter().any(sliding), hasher),
            room,
            orders: vec![Order::EMPTY; quotas.len()].into(),
            quotas: quotas.into(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.table.allocated_bytes()
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
        let Some(index) = self.table.find(hash, policy, key) else {
            let decision = algorithm::decide(now, None, quota, cost);
            self.add(hash, policy, key, &decision.state, now);
            return Verdict::from(&decision);
        };
        let before = self.table.state(index, quota.algorithm());
        let decision = algorithm::decide(now, Some(before), quota, cost);
        if algorithm::ends_at(&before, quota) <= now {
            self.move_to_end(policy, index);
        }
        let after = &decision.state;
        self.table.set_state(index, quota.algorithm(), after);
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
        let found = self.table.find(hash, policy, key);
        // What was taken is over and gone; what the request costs beyond it counts from now on.
        if found.is_none() && cost <= reserved {
            return None;
        }
        let before = found.map_or_else(
            || algorithm::decide(now, None, quota, 0).state,
            |index| self.table.state(index, quota.algorithm()),
        );
        let after = algorithm::settle(now, before, quota, receipt, reserved, cost)?;
        match found {
            Some(index) => self.table.set_state(index, quota.algorithm(), &after),
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
        let found = self.table.find(hash, policy, key);
        let state = found.map(|index| self.table.state(index, quota.algorithm()));
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

    /// The state of any entry.
    fn state(&self, index: Index) -> State {
        let policy = self.table.entries[at(index)].policy as usize;
        self.table.state(index, self.quotas[policy].algorithm())
    }

    fn ends_at(&self, index: Index) -> Timestamp {
        let policy = self.table.entries[at(index)].policy as usize;
        algorithm::ends_at(&self.state(index), self.quotas[policy])
    }

    fn add(&mut self, hash: u64, policy: usize, key: LimitKey, state: &State, now: Timestamp) {
        self.drop_ended(now);
        if self.table.len() >= self.room {
            self.displace();
        }
        if self.table.is_to_grow() {
            self.grow();
        }
        let number = u32::try_from(policy).expect("a policy number is an index of `orders`");
        let index = self.table.add(hash, Entry::new(key, number));
        let algorithm = self.quotas[policy].algorithm();
        self.table.set_state(index, algorithm, state);
        self.orders[policy].push_latest(&mut self.table.asides, index);
    }

    /// Moves everything to a larger table, in the same order.
    fn grow(&mut self) {
        let mut larger = self.table.larger();
        for order in &mut self.orders {
            let mut next = order.earliest();
            *order = Order::EMPTY;
            while next != NONE {
                let index = larger.adopt(&self.table, next);
                order.push_latest(&mut larger.asides, index);
                next = self.table.asides[at(next)].later;
            }
        }
        self.table = larger;
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
        let (order, asides) = (&mut self.orders[policy], &mut self.table.asides);
        order.remove(asides, index);
        order.push_latest(asides, index);
    }

    /// Makes room where everything is live.
    fn displace(&mut self) {
        let policies = 0..self.orders.len();
        let worth = |index: &Index| (self.ends_at(*index), self.used(*index));
        let least = policies
            .filter_map(|policy| self.least_of(policy))
            .min_by_key(worth);
        let Some(index) = least else { return };
        let policy = self.table.entries[at(index)].policy as usize;
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
            next = self.table.asides[at(index)].later;
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

    /// Removes the entry at `index`. Others may move: no index is good after it.
    fn remove(&mut self, index: Index) {
        let policy = self.table.entries[at(index)].policy as usize;
        self.orders[policy].remove(&mut self.table.asides, index);
        let orders = &mut self.orders;
        self.table.remove(index, |asides, entry, here| {
            orders[entry.policy as usize].moved_to(asides, here);
        });
    }
}
