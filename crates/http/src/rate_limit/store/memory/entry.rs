//! One key under one policy as it lies in a shard: 32 bytes that a decision needs, 12 beside them.

use super::super::super::algorithm::CELLS;
use super::super::super::{LimitKey, Timestamp};

/// The place of an entry in its shard's table.
pub(super) type Index = u32;

/// No place, and the policy of a place that is free.
pub(super) const NONE: u32 = u32::MAX;

/// The cells of a sliding window, beside the entries: only stores that have one pay for them.
pub(super) type Cells = [u32; CELLS];

/// What a fixed window is decided by. Half a cache line, and never on two of them: with a million keys a decision
/// waits for memory once.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(super) struct Entry {
    pub(super) key: LimitKey,
    pub(super) at: Timestamp,
    pub(super) count: u32,
    /// [`NONE`] where there is no entry.
    pub(super) policy: u32,
}

impl Entry {
    pub(super) const FREE: Self = Self {
        key: LimitKey::ZERO,
        at: Timestamp::from_millis(0),
        count: 0,
        policy: NONE,
    };

    pub(super) fn new(key: LimitKey, policy: u32) -> Self {
        Self {
            key,
            policy,
            ..Self::FREE
        }
    }

    pub(super) fn is_free(&self) -> bool {
        self.policy == NONE
    }
}

/// The rest of an entry, in an array of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aside {
    /// Only GCRA has it.
    pub(super) given_back: u32,
    /// The neighbours in the policy's order.
    pub(super) earlier: Index,
    pub(super) later: Index,
}

impl Aside {
    pub(super) const EMPTY: Self = Self {
        given_back: 0,
        earlier: NONE,
        later: NONE,
    };
}

/// A place as a subscript.
pub(super) fn at(index: Index) -> usize {
    index as usize
}

const _: () = assert!(
    size_of::<Entry>() == 32 && size_of::<Aside>() == 12,
    "the documented memory bound counts on this"
);
