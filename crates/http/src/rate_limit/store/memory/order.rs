//! The counts of one policy, those first that are over first: fixed windows exactly, others about.

use super::entry::{Entry, Index, NONE};

/// The ends of a doubly linked list through the entries of a shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    earliest: Index,
    latest: Index,
}

impl Order {
    pub(super) const EMPTY: Self = Self {
        earliest: NONE,
        latest: NONE,
    };

    /// The entry that is over first; [`NONE`] in an empty order.
    pub(super) fn earliest(self) -> Index {
        self.earliest
    }

    /// Appends the entry at `index`, which must be in no order.
    pub(super) fn push_latest(&mut self, entries: &mut [Entry], index: Index) {
        entries[at(index)].earlier = self.latest;
        entries[at(index)].later = NONE;
        match self.latest {
            NONE => self.earliest = index,
            latest => entries[at(latest)].later = index,
        }
        self.latest = index;
    }

    /// Takes the entry at `index` out of this order, in which it must be.
    pub(super) fn remove(&mut self, entries: &mut [Entry], index: Index) {
        let (earlier, later) = (entries[at(index)].earlier, entries[at(index)].later);
        match earlier {
            NONE => self.earliest = later,
            earlier => entries[at(earlier)].later = later,
        }
        match later {
            NONE => self.latest = earlier,
            later => entries[at(later)].earlier = earlier,
        }
    }
}

/// A place as a subscript.
pub(super) fn at(index: Index) -> usize {
    index as usize
}
