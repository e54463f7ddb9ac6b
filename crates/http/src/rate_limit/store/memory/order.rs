//! The counts of one policy, those first that are over first: fixed windows exactly, others about.

use super::entry::{Aside, Index, NONE, at};

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
    pub(super) fn push_latest(&mut self, asides: &mut [Aside], index: Index) {
        asides[at(index)].earlier = self.latest;
        asides[at(index)].later = NONE;
        match self.latest {
            NONE => self.earliest = index,
            latest => asides[at(latest)].later = index,
        }
        self.latest = index;
    }

    /// Takes the entry at `index` out of this order, in which it must be.
    pub(super) fn remove(&mut self, asides: &mut [Aside], index: Index) {
        let Aside { earlier, later, .. } = asides[at(index)];
        self.join(asides, earlier, later);
    }

    /// An entry of this order came to `index` from elsewhere, with its links: its neighbours follow.
    pub(super) fn moved_to(&mut self, asides: &mut [Aside], index: Index) {
        let Aside { earlier, later, .. } = asides[at(index)];
        match earlier {
            NONE => self.earliest = index,
            earlier => asides[at(earlier)].later = index,
        }
        match later {
            NONE => self.latest = index,
            later => asides[at(later)].earlier = index,
        }
    }

    /// Makes two entries neighbours.
    fn join(&mut self, asides: &mut [Aside], earlier: Index, later: Index) {
        match earlier {
            NONE => self.earliest = later,
            earlier => asides[at(earlier)].later = later,
        }
        match later {
            NONE => self.latest = earlier,
            later => asides[at(later)].earlier = earlier,
        }
    }
}
