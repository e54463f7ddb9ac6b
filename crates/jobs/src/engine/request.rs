use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::names::{JobId, LeaseToken, QueueName};
use crate::options::JobOptions;

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
    /// Whether the job was there before: its id was taken, or the idempotency key was used.
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
}

/// What a claim gave.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claimed {
    /// The jobs, in the order they are to be served.
    pub jobs: Vec<ClaimedJob>,
    /// When the next delayed job is due.
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
    },
    /// The handler wants to go on after a while.
    Postponed(Duration),
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
    /// Finished jobs and idempotency keys that outlived their time.
    pub pruned: usize,
}
