//! One window as it lies in a shard: 48 bytes.

use super::super::super::window::Window;
use super::super::super::{LimitKey, Timestamp};
use super::Generation;

/// The place of an entry in its shard's table.
pub(super) type Index = u32;

/// No place.
pub(super) const NONE: Index = Index::MAX;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: LimitKey,
    ends_at: Timestamp,
    used: u32,
    pub(super) policy: u32,
    pub(super) generation: Generation,
    /// The next entry of the same bucket, or of the list of free places.
    pub(super) next_in_bucket: Index,
    /// The neighbours in the policy's order of windows.
    pub(super) earlier: Index,
    pub(super) later: Index,
}

impl Entry {
    pub(super) fn new(key: LimitKey, policy: u32, generation: Generation, window: Window) -> Self {
        Self {
            key,
            ends_at: window.ends_at,
            used: window.used,
            policy,
            generation,
            next_in_bucket: NONE,
            earlier: NONE,
            later: NONE,
        }
    }

    pub(super) fn window(&self) -> Window {
        Window {
            ends_at: self.ends_at,
            used: self.used,
        }
    }

    pub(super) fn set_window(&mut self, window: Window) {
        self.ends_at = window.ends_at;
        self.used = window.used;
    }
}

const _: () = assert!(
    size_of::<Entry>() == 48,
    "the documented memory bound counts on this"
);
