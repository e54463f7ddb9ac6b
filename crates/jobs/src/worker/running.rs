//! The jobs a worker holds, shared by its parts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::engine::{EngineHandle, Lease};
use crate::names::{LeaseToken, QueueName};

/// What the parts of one worker share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) engine: EngineHandle,
    pub(super) queue: QueueName,
    pub(super) token: LeaseToken,
    pub(super) lease: Duration,
    pub(super) running: Running,
    /// No further jobs are taken.
    pub(super) stopping: CancellationToken,
    /// The grace of a stop is over.
    pub(super) hurry: CancellationToken,
    /// Jobs that ended by themselves, and that were given back, after the stop began.
    pub(super) finished: AtomicUsize,
    pub(super) handed_back: AtomicUsize,
    fetched: AtomicI64,
}

/// Before the first fetch.
const NEVER: i64 = i64::MIN;

impl Shared {
    pub(super) fn new(engine: EngineHandle, queue: QueueName, lease: Duration) -> Self {
        Self {
            engine,
            queue,
            token: LeaseToken::random(),
            lease,
            running: Running::default(),
            stopping: CancellationToken::new(),
            hurry: CancellationToken::new(),
            finished: AtomicUsize::new(0),
            handed_back: AtomicUsize::new(0),
            fetched: AtomicI64::new(NEVER),
        }
    }

    pub(super) fn note_fetch(&self) {
        self.fetched
            .store(self.engine.now().as_millis(), Ordering::Relaxed);
    }

    pub(super) fn last_fetch(&self) -> Option<Timestamp> {
        match self.fetched.load(Ordering::Relaxed) {
            NEVER => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }
}

/// One job under way.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) lease: Lease,
    /// Told to the handler.
    pub(super) cancel: CancellationToken,
    /// The lease is gone: what the handler still says does not count.
    pub(super) lost: CancellationToken,
    /// Ends the handler at its next await.
    pub(super) abort: Option<AbortHandle>,
}

/// The jobs under way, by a number of their own.
#[derive(Debug, Default)]
pub(super) struct Running {
    jobs: Mutex<(u64, HashMap<u64, Held>)>,
    /// Told each time a job is gone.
    left: Notify,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<u64, Held>)> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, held: Held) -> u64 {
        let mut jobs = self.lock();
        jobs.0 += 1;
        let number = jobs.0;
        jobs.1.insert(number, held);
        number
    }

    pub(super) fn set_abort(&self, number: u64, abort: AbortHandle) {
        if let Some(held) = self.lock().1.get_mut(&number) {
            held.abort = Some(abort);
        }
    }

    pub(super) fn leave(&self, number: u64) {
        self.lock().1.remove(&number);
        self.left.notify_waiters();
    }

    pub(super) fn len(&self) -> usize {
        self.lock().1.len()
    }

    pub(super) fn all(&self) -> Vec<Held> {
        self.lock().1.values().cloned().collect()
    }

    /// Waits until no job is under way.
    pub(super) async fn empty(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            left.await;
        }
    }
}
