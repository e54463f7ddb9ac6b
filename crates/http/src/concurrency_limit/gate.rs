//! The places: those that run, and those that wait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// The `type` of an answer that was refused because the server has too much to do, as registered by
/// draft-ietf-httpapi-ratelimit-headers-10.
pub const REDUCED_CAPACITY: &str =
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/// A place to run in. Dropping it lets the next one run.
#[derive(Debug)]
pub(super) struct Place {
    _running: OwnedSemaphorePermit,
}

/// Runs and queues so many. Clones share the places.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    patience: Duration,
    retry_after: Duration,
}

/// What a newcomer is told.
pub(super) enum Entry {
    /// Run.
    Run(Place),
    /// Wait for the end of this queue.
    Wait(OwnedSemaphorePermit),
}

impl Gate {
    pub(super) fn new(
        running: usize,
        waiting: usize,
        patience: Duration,
        retry_after: Duration,
    ) -> Self {
        Self {
            running: Arc::new(Semaphore::new(running.min(Semaphore::MAX_PERMITS))),
            waiting: Arc::new(Semaphore::new(waiting.min(Semaphore::MAX_PERMITS))),
            patience,
            retry_after,
        }
    }

    /// A place to run, a place to wait, or neither. Nobody overtakes: while someone waits, no place to run
    /// is free.
    pub(super) fn enter(&self) -> Result<Entry, Shed> {
        if let Ok(running) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(Entry::Run(Place { _running: running }));
        }
        match Arc::clone(&self.waiting).try_acquire_owned() {
            Ok(waiting) => Ok(Entry::Wait(waiting)),
            Err(_) => Err(self.shed(Reason::QueueFull)),
        }
    }

    /// Waits for a place to run, in the order of arrival. Dropping the future leaves the queue.
    pub(super) async fn wait(self, waiting: OwnedSemaphorePermit) -> Result<Place, Shed> {
        let turn = Arc::clone(&self.running).acquire_owned();
        let turn = tokio::time::timeout(self.patience, turn).await;
        drop(waiting);
        match turn {
            Ok(Ok(running)) => Ok(Place { _running: running }),
            Ok(Err(_)) | Err(_) => Err(self.shed(Reason::Impatient)),
        }
    }

    fn shed(&self, reason: Reason) -> Shed {
        Shed {
            reason,
            retry_after: self.retry_after,
        }
    }
}

/// Too many requests run and wait already.
///
/// `Into<Problem>` makes it the 503 answer: code `unavailable`, `Retry-After`, and the problem type
/// [`REDUCED_CAPACITY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shed {
    reason: Reason,
    retry_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    QueueFull,
    Impatient,
}

impl Shed {
    /// When to try again.
    pub const fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// Whether the request was turned away at once, rather than after it had waited.
    pub const fn is_queue_full(&self) -> bool {
        matches!(self.reason, Reason::QueueFull)
    }
}

impl fmt::Display for Shed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::QueueFull => "too many requests run and wait already",
            Reason::Impatient => "no place became free in time",
        })
    }
}

impl std::error::Error for Shed {}

impl From<Shed> for Problem {
    fn from(shed: Shed) -> Self {
        let detail = "The server is busy with other requests. Wait as long as Retry-After says, then try again.";
        Self::unavailable(shed.retry_after, detail).with_type(REDUCED_CAPACITY)
    }
}
