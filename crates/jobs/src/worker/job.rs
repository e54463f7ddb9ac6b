//! A job as its handler sees it.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::attempt::Attempt;
use super::course::CancelReason;
use super::slots::Place;
use crate::clock::Timestamp;
use crate::engine::{ClaimedJob, EngineHandle, Lease};
use crate::error::{AddError, LeaseError};
use crate::flow::{AddedFlow, Children, Flow, JobRef};
use crate::names::{GroupName, JobId, QueueName, SchedulerId};

/// A job under way, with its decoded payload.
pub struct Job<T> {
    data: T,
    facts: Facts,
    attempt: Arc<Attempt>,
    engine: EngineHandle,
    place: Weak<Place>,
}

/// What the engine says about a job it gave out.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) priority: u32,
    pub(super) created_at: Timestamp,
    pub(super) group: Option<GroupName>,
    pub(super) parent: Option<JobRef>,
    pub(super) scheduler: Option<SchedulerId>,
}

/// A job just taken, in its parts: the lease, its timeout, the payload, the rest.
pub(super) fn parts(job: ClaimedJob) -> (Lease, Option<Duration>, Box<RawValue>, Facts) {
    let facts = Facts {
        name: job.name,
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        priority: job.priority,
        created_at: job.created_at,
        group: job.group,
        parent: job.parent,
        scheduler: job.scheduler,
    };
    (job.lease, job.timeout, job.data, facts)
}

impl<T> Job<T> {
    pub(super) fn new(
        data: T,
        facts: Facts,
        attempt: Arc<Attempt>,
        engine: EngineHandle,
        place: Weak<Place>,
    ) -> Self {
        Self {
            data,
            facts,
            attempt,
            engine,
            place,
        }
    }

    /// Its place among the worker's, to be kept for as long as a thread runs its handler.
    pub(super) fn place(&self) -> Option<Arc<Place>> {
        self.place.upgrade()
    }

    /// The payload.
    pub fn data(&self) -> &T {
        &self.data
    }

    /// Its id.
    pub fn id(&self) -> &JobId {
        &self.attempt.lease.id
    }

    /// Its queue.
    pub fn queue(&self) -> &QueueName {
        &self.attempt.lease.queue
    }

    /// The kind of work.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.facts.attempt
    }

    /// How often a worker has taken it, this time included.
    pub fn start(&self) -> u32 {
        self.attempt.lease.start
    }

    /// Attempts it may use.
    pub fn max_attempts(&self) -> u32 {
        self.facts.max_attempts
    }

    /// Its priority; 0 is none.
    pub fn priority(&self) -> u32 {
        self.facts.priority
    }

    /// When it was added.
    pub fn created_at(&self) -> Timestamp {
        self.facts.created_at
    }

    /// How long this attempt may take.
    pub fn timeout(&self) -> Option<Duration> {
        self.attempt.timeout
    }

    /// The group it is served with.
    pub fn group(&self) -> Option<&GroupName> {
        self.facts.group.as_ref()
    }

    /// The job that waits for it.
    pub fn parent(&self) -> Option<&JobRef> {
        self.facts.parent.as_ref()
    }

    /// The scheduler that made it.
    pub fn scheduler(&self) -> Option<&SchedulerId> {
        self.facts.scheduler.as_ref()
    }

    /// Completes when the job is to be given up; [`Job::cancel_reason`] says why. A handler that has not
    /// ended one second later is dropped at its next await.
    pub async fn cancelled(&self) {
        self.attempt.cancelled().await;
    }

    /// Whether the job is to be given up.
    pub fn is_cancelled(&self) -> bool {
        self.cancel_reason().is_some()
    }

    /// Why the job is to be given up, if it is.
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        self.attempt.reason()
    }

    /// Stores how far it is, as any JSON value.
    ///
    /// # Errors
    /// When the lease was lost, or the value is too large or has no JSON form.
    pub async fn progress(&self, value: &impl Serialize) -> Result<(), LeaseError> {
        let value = to_raw_value(value).map_err(|error| LeaseError::Encode(Arc::new(error)))?;
        self.engine.progress(&self.attempt.lease, value).await
    }

    /// Appends a line to its log. Read it with [`Queue::logs`](crate::Queue::logs).
    ///
    /// # Errors
    /// When the lease was lost.
    pub async fn log(&self, line: impl Into<String>) -> Result<(), LeaseError> {
        self.engine.log(&self.attempt.lease, line.into()).await
    }

    /// Adds jobs that this one may wait for, all or none: answer [`Outcome::WaitForChildren`] after it.
    ///
    /// [`Outcome::WaitForChildren`]: crate::Outcome::WaitForChildren
    ///
    /// # Errors
    /// [`AddError`]; nothing is stored then.
    pub async fn add_children(&self, children: Vec<Flow>) -> Result<Vec<AddedFlow>, AddError> {
        self.engine
            .add_children(&self.attempt.lease, children)
            .await
    }

    /// How its children stand, with what those returned that completed.
    ///
    /// # Errors
    /// When the job is gone or the store did not do its work.
    pub async fn children(&self) -> Result<Children, LeaseError> {
        let children = self.engine.children(self.queue(), self.id()).await?;
        children.ok_or(LeaseError::LeaseLost)
    }
}

impl<T: fmt::Debug> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("lease", &self.attempt.lease)
            .field("facts", &self.facts)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}
