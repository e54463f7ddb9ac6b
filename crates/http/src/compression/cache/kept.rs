//! One encoded body.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use quick_cache::Weighter;

use super::key::Key;
use crate::coding::Level;

/// What an entry costs beside its bytes, roughly.
const OVERHEAD: u64 = 256;

/// The encoded bytes of one body, or that they are not smaller.
#[derive(Debug)]
pub(crate) struct Kept {
    /// `None`: the coding does not make the body smaller.
    pub(crate) body: Option<Bytes>,
    /// The level, where it is not the coding's default.
    pub(crate) level: Option<Level>,
    /// What encoding took.
    pub(super) cost: Duration,
    uses: AtomicU32,
    is_final: AtomicBool,
}

impl Kept {
    pub(super) fn new(body: Option<Bytes>, level: Option<Level>, cost: Duration) -> Self {
        Self {
            is_final: AtomicBool::new(body.is_none()),
            body,
            level,
            cost,
            uses: AtomicU32::new(0),
        }
    }

    /// Will not be encoded again.
    pub(super) fn into_final(self) -> Self {
        self.is_final.store(true, Ordering::Relaxed);
        self
    }

    /// Counts one use; whether there were enough for a better encoding that was not tried yet.
    pub(super) fn is_hot(&self, enough: u32) -> bool {
        let uses = self.uses.fetch_add(1, Ordering::Relaxed);
        uses.saturating_add(1) >= enough && !self.is_final.load(Ordering::Relaxed)
    }

    /// True for the one caller that may try.
    pub(super) fn claim(&self) -> bool {
        !self.is_final.swap(true, Ordering::Relaxed)
    }
}

#[derive(Debug, Clone)]
pub(super) struct ByBytes;

impl Weighter<Key, std::sync::Arc<Kept>> for ByBytes {
    fn weight(&self, _: &Key, kept: &std::sync::Arc<Kept>) -> u64 {
        OVERHEAD + kept.body.as_ref().map_or(0, |body| body.len() as u64)
    }
}
