//! One key under one policy as it lies in a shard: 48 bytes.

use super::super::super::algorithm::{CELLS, State};
use super::super::super::{LimitKey, Timestamp};

/// The place of an entry in its shard's table.
pub(super) type Index = u32;

/// No place.
pub(super) const NONE: Index = Index::MAX;

/// The cells of a sliding window, beside the entries: only stores that have one pay for them.
pub(super) type Cells = [u32; CELLS];

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: LimitKey,
    at: Timestamp,
    count: u32,
    given_back: u32,
    pub(super) policy: u32,
    /// The next entry of the same bucket, or of the list of free places.
    pub(super) next_in_bucket: Index,
    /// The neighbours in the policy's order.
    pub(super) earlier: Index,
    pub(super) later: Index,
}

impl Entry {
    pub(super) fn new(key: LimitKey, policy: u32, state: &State) -> Self {
        Self {
            key,
            at: state.at,
            count: state.count,
            given_back: state.given_back,
            policy,
            next_in_bucket: NONE,
            earlier: NONE,
            later: NONE,
        }
    }

    pub(super) fn state(&self, cells: Option<&Cells>) -> State {
        State {
            at: self.at,
            count: self.count,
            given_back: self.given_back,
            cells: cells.copied().unwrap_or_default(),
        }
    }

    pub(super) fn set_state(&mut self, state: &State) {
        self.at = state.at;
        self.count = state.count;
        self.given_back = state.given_back;
    }
}

const _: () = assert!(
    size_of::<Entry>() == 48,
    "the documented memory bound counts on this"
);
