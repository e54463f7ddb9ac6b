//! How many deliveries ended how.

use std::sync::atomic::{AtomicU64, Ordering};

use super::answer::Verdict;

/// Counts of a worker, from its start.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    delivered: AtomicU64,
    postponed: AtomicU64,
    not_delivered: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Done { .. } => &self.delivered,
            Verdict::Later { .. } => &self.postponed,
            Verdict::Failed(_) | Verdict::GiveUp(_) => &self.not_delivered,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Jobs that were delivered.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Attempts that the target asked to take up later.
    pub(crate) fn postponed(&self) -> u64 {
        self.postponed.load(Ordering::Relaxed)
    }

    /// Attempts that failed.
    pub(crate) fn not_delivered(&self) -> u64 {
        self.not_delivered.load(Ordering::Relaxed)
    }
}
