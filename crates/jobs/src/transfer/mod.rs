//! A queue moves from one store to another while producers keep adding and the workers of the target
//! run: no job is lost, none is run by both.
//!
//! The source is paused first, so its workers take nothing more, and stays paused. Jobs then go over in
//! batches: the target is paused, takes the batch under the same ids, the source forgets it, the target
//! goes on. A move that is killed leaves, at worst, one batch in both stores and both queues paused: nothing
//! of it can have run, and the next run finds the ids taken, forgets them in the source and lets the
//! target go on.

mod hand_over;
mod record;
mod run;
mod schedulers;

pub use record::{DeduplicationHold, Imported, JobRecord};

use std::time::Duration;

use serde::Serialize;

use crate::engine::EngineHandle;
use crate::error::{AddError, EngineError, ManageError};
use crate::names::QueueName;

/// Moves one queue from a store to another.
///
/// ```
/// use paceline_jobs::{EngineHandle, QueueName, SqliteEngine, Transfer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
/// let (from, to) = (EngineHandle::from(SqliteEngine::open(old)?), EngineHandle::from(SqliteEngine::open(new)?));
/// from.queue("emails")?.add("welcome", &serde_json::value::to_raw_value("ada")?).await?;
///
/// let report = Transfer::new(&from, &to, QueueName::new("emails")?).once().run().await?;
/// assert_eq!(report.moved, 1);
/// # Ok(())
/// # }
/// ```
///
/// Not moved: completed jobs, jobs of flows (their relations belong to one store), active jobs (they end
/// where they run; what is left of them is moved then).
#[derive(Debug, Clone)]
#[must_use = "a transfer does nothing until it is run"]
pub struct Transfer {
    from: EngineHandle,
    to: EngineHandle,
    queue: QueueName,
    failed: bool,
    schedulers: bool,
    settle: Duration,
    wait_for_active: Duration,
    once: bool,
    keep_paused: bool,
}

impl Transfer {
    /// Moves the jobs of `queue` that are to be done.
    pub fn new(from: &EngineHandle, to: &EngineHandle, queue: QueueName) -> Self {
        Self {
            from: from.clone(),
            to: to.clone(),
            queue,
            failed: false,
            schedulers: false,
            settle: Duration::from_secs(5),
            wait_for_active: Duration::from_mins(10),
            once: false,
            keep_paused: false,
        }
    }

    /// Moves failed jobs too; they stay failed.
    pub fn failed(mut self) -> Self {
        self.failed = true;
        self
    }

    /// Moves the queue's schedulers too, before anything else.
    pub fn schedulers(mut self) -> Self {
        self.schedulers = true;
        self
    }

    /// Ends when the source has stayed empty for this long. Default 5 s.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// How long active jobs of the source are waited for, from the start on; zero for not at all.
    /// Default 10 min.
    pub fn wait_for_active(mut self, longest: Duration) -> Self {
        self.wait_for_active = longest;
        self
    }

    /// Leaves a target paused that is paused at the start, whatever the source is. Without it the target goes
    /// on at the end if both are paused at the start, which is what a move that was killed leaves; if only the
    /// target is paused, it stays so.
    pub fn keep_paused(mut self) -> Self {
        self.keep_paused = true;
        self
    }

    /// Ends as soon as the source is empty once.
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// What a transfer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct TransferReport {
    /// Jobs that went over, failed ones included.
    pub moved: u64,
    /// How many of them were in the target already, from a run that was interrupted.
    pub resent: u64,
    /// How many of them had failed for good.
    pub failed: u64,
    /// Schedulers that went over.
    pub schedulers: u64,
    /// Jobs that stay in the source.
    pub left: LeftBehind,
    /// Whether the target was paused before and stays so.
    pub target_paused: bool,
}

/// Jobs that a transfer leaves in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct LeftBehind {
    /// Held by workers.
    pub active: u64,
    /// Part of a flow.
    pub flows: u64,
    /// Made by schedulers that were not moved.
    pub scheduled: u64,
    /// Their ids belong to other jobs of the target.
    pub taken: u64,
    /// They were added to the target and could not be removed from the source, because somebody resumed
    /// its queue and a worker took them: they may run twice.
    pub started: u64,
}

impl LeftBehind {
    /// How many there are.
    pub const fn total(&self) -> u64 {
        self.active + self.flows + self.scheduled + self.taken + self.started
    }
}

/// A transfer did not get to its end. What was moved before stands; running it again goes on.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The source did not do its work.
    #[error("the source failed")]
    Source(#[source] EngineError),
    /// The target did not do its work.
    #[error("the target failed")]
    Target(#[source] EngineError),
    /// The target refused a job or a scheduler.
    #[error("the target refused what came over")]
    Refused(#[source] AddError),
    /// The source did not forget a job that the target has: the target stays paused until the transfer is
    /// run again.
    #[error("the source did not remove a job that the target has; the target stays paused")]
    NotRemoved(#[source] ManageError),
}
