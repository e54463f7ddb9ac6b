//! What the database has been asked to do so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts kept by the threads of one database.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    statements: AtomicU64,
    rows: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Statements started for callers: pages, counts, exports, writes. Reading the version is not one.
    pub statements: u64,
    /// Rows those statements gave.
    pub rows: u64,
}

impl Counters {
    /// The counts now.
    pub(crate) fn read(&self) -> Counts {
        Counts {
            statements: self.statements.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
}
