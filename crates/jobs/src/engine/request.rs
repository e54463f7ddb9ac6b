use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::flow::JobRef;
use crate::names::{GroupName, JobId, LeaseToken, QueueName, SchedulerId};
use crate::options::JobOptions;
use crate::state::State;

/// A job to be added.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The kind of work, at most 255 bytes.
    pub name: String,
    /// The payload.
    pub data: Box<RawValue>,
    /// How it is to be run.
    pub options: JobOptions,
}

/// What an add gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The job's id.
    pub id: JobId,
    /// Whether the job was there before: its id was taken, the idempotency key was used, or the deduplication id
    /// is held (by a job that may have ended and be gone, when the id is held for a time).
    pub existing: bool,
}

/// A worker's right to one attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The queue.
    pub queue: QueueName,
    /// The job.
    pub id: JobId,
    /// The worker.
    pub token: LeaseToken,
    /// Which start of the job this is; the same worker may get the same job again.
    pub start: u32,
}

/// A worker asks for jobs.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// From which queue.
    pub queue: QueueName,
    /// Who asks.
    pub token: LeaseToken,
    /// How many at most.
    pub max: usize,
    /// How long the leases run.
    pub lease_for: Duration,
}

/// How a lease stands when it is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// It holds, for another while.
    Held,
    /// It holds, but somebody wants the job to be given up.
    CancelRequested,
    /// It ended.
    Lost,
}

/// A change to many jobs of a queue. Done in bounded steps, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BulkAction {
    /// Failed jobs start over.
    RetryFailed,
    /// Delayed jobs are ready now.
    PromoteDelayed,
    /// Removes what is ready, and what is delayed if asked for. Active and finished jobs stay.
    Drain {
        /// Delayed jobs too.
        delayed: bool,
    },
    /// Removes jobs of one state (not active ones) that got there, or were added, at least so long ago.
    Clean {
        /// The state.
        state: State,
        /// How long ago.
        older_than: Duration,
    },
    /// Removes the queue and everything in it. It must be paused, and have no active jobs unless forced.
    Obliterate {
        /// Active jobs too; their workers lose the leases.
        force: bool,
    },
}

/// What one step of a bulk action did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct BulkStep {
    /// Jobs it was done to.
    pub done: u64,
    /// Whether another step may find more.
    pub more: bool,
}

/// A change to one job that waits.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum JobChange {
    /// Another priority, of a job that has not started.
    Priority(u32),
    /// Another delay from now on, of a delayed job.
    Delay(Duration),
    /// Another payload, of a job that has not ended.
    Data(Box<RawValue>),
}

/// Which jobs of a queue to find.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Search {
    /// Only in these states; empty for all.
    pub states: Vec<State>,
    /// Only with this name.
    pub name: Option<String>,
    /// Only with this text in the payload, the last error or the id.
    pub text: Option<String>,
}

/// A part of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LogPage {
    /// The lines, oldest first.
    pub lines: Vec<String>,
    /// How many are kept.
    pub total: u64,
}

/// A job under a lease.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimedJob {
    /// The right to it.
    pub lease: Lease,
    /// Its name.
    pub name: String,
    /// Its payload.
    pub data: Box<RawValue>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Attempts it may use.
    pub max_attempts: u32,
    /// Its priority; 0 is none.
    pub priority: u32,
    /// When it was added.
    pub created_at: Timestamp,
    /// How long the attempt may take.
    pub timeout: Option<Duration>,
    /// The group it is served with.
    pub group: Option<GroupName>,
    /// The job that waits for it.
    pub parent: Option<JobRef>,
    /// The scheduler that made it.
    pub scheduler: Option<SchedulerId>,
}

/// What a claim gave.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claimed {
    /// The jobs, in the order they are to be served.
    pub jobs: Vec<ClaimedJob>,
    /// When asking again may give more although nobody wakes the worker: a delayed job or a scheduler's slot
    /// is due, or a rate limit's window ends.
    pub next_due: Option<Timestamp>,
    /// Whether the queue is paused.
    pub paused: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Ending {
    /// The handler succeeded.
    Completed {
        /// What it returned. Larger than the engine's limit, the job fails instead.
        result: Box<RawValue>,
    },
    /// The handler failed.
    Failed {
        /// What went wrong.
        error: String,
        /// Whether another attempt may help.
        retryable: bool,
        /// The wait before it, instead of the job's backoff.
        wait: Option<Duration>,
    },
    /// The handler wants to go on after a while.
    Postponed(Duration),
    /// The handler wants to go on when the job's children are done. Goes on at once when there are none left.
    WaitForChildren,
    /// The worker gives the job back.
    HandedBack,
}

/// An attempt that ended.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The right to it.
    pub lease: Lease,
    /// How it ended.
    pub ending: Ending,
}

/// What a round of upkeep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SweepReport {
    /// Jobs whose lease had ended and that wait again.
    pub recovered: usize,
    /// Jobs that lost their lease too often and failed.
    pub stalled_out: usize,
    /// Finished jobs, idempotency keys, deduplications and rate limits' windows that outlived their time.
    pub pruned: usize,
}
