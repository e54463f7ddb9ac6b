//! How a worker gets on with its engine.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::clock::Timestamp;

/// How a worker is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkerHealth {
    /// When it last asked the engine for jobs and was answered. Never older than the poll bound plus the
    /// length of a handler while all is well; `None` before the first time.
    pub last_fetch: Option<Timestamp>,
    /// Jobs it holds.
    pub active: usize,
    /// Jobs (batches) it may run at the same time.
    pub concurrency: usize,
    /// How often in a row the engine did not do what it was asked. 0 while all is well.
    pub failures: u32,
    /// What the engine last failed with; kept when it works again.
    pub last_error: Option<String>,
    /// Whether it takes jobs: neither it nor its engine was stopped.
    pub taking: bool,
}

/// Before the first fetch.
const NEVER: i64 = i64::MIN;

/// What is noted of the engine's answers.
#[derive(Debug)]
pub(super) struct Pulse {
    fetched: AtomicI64,
    failures: AtomicU32,
    last_error: Mutex<Option<String>>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            fetched: AtomicI64::new(NEVER),
            failures: AtomicU32::new(0),
            last_error: Mutex::default(),
        }
    }
}

impl Pulse {
    pub(super) fn fetched(&self, now: Timestamp) {
        self.fetched.store(now.as_millis(), Ordering::Relaxed);
        self.answered();
    }

    pub(super) fn answered(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn failed(&self, error: &str) {
        let _ = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                Some(count.saturating_add(1))
            });
        let mut last = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(error.to_owned());
    }

    pub(super) fn last_fetch(&self) -> Option<Timestamp> {
        match self.fetched.load(Ordering::Relaxed) {
            NEVER => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
