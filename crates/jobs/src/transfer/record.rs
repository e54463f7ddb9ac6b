//! A job between two stores.

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::flow::JobRef;
use crate::names::{JobId, SchedulerId};
use crate::options::JobOptions;

/// A job with everything that decides what becomes of it, as one store hands it to another.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobRecord {
    /// Its id, kept by the other store.
    pub id: JobId,
    /// The kind of work.
    pub name: String,
    /// The payload, byte for byte.
    pub data: Box<RawValue>,
    /// How it is run. The id, the delay and the deduplication in it are not used.
    pub options: JobOptions,
    /// When it was added first.
    pub created_at: Timestamp,
    /// When it is due, if delayed.
    pub due_at: Option<Timestamp>,
    /// Attempts used up.
    pub attempts_made: u32,
    /// How often its lease ran out.
    pub stalls: u32,
    /// The last error, if an attempt failed.
    pub failed_reason: Option<String>,
    /// When it failed for good; `None` for a job that is still to be done.
    pub failed_at: Option<Timestamp>,
    /// The job that waits for it.
    pub parent: Option<JobRef>,
    /// The scheduler that made it.
    pub scheduler: Option<SchedulerId>,
    /// The deduplication it holds.
    pub deduplication: Option<DeduplicationHold>,
}

/// A deduplication id in the hands of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeduplicationHold {
    /// The id.
    pub id: String,
    /// Until when it is held; `None` until the job ends.
    pub until: Option<Timestamp>,
}

impl JobRecord {
    /// A job that is ready and was never tried.
    pub fn new(
        id: JobId,
        name: impl Into<String>,
        data: Box<RawValue>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            name: name.into(),
            data,
            options: JobOptions::new(),
            created_at,
            due_at: None,
            attempts_made: 0,
            stalls: 0,
            failed_reason: None,
            failed_at: None,
            parent: None,
            scheduler: None,
            deduplication: None,
        }
    }
}

/// What a store did with a job of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Imported {
    /// It was added.
    Added,
    /// It is there already, from an earlier try: same id, name and time of the first add.
    Existing,
    /// Another job has its id. Nothing was added.
    Taken,
}
