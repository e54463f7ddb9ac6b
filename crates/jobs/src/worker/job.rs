//! A job as its handler sees it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::engine::{ClaimedJob, EngineHandle, Lease};
use crate::error::LeaseError;
use crate::names::{JobId, QueueName};

/// A job under way, with its decoded payload.
#[derive(Debug)]
pub struct Job<T> {
    data: T,
    lease: Lease,
    name: String,
    attempt: u32,
    max_attempts: u32,
    priority: u32,
    created_at: Timestamp,
    engine: EngineHandle,
    cancel: CancellationToken,
}

impl<T> Job<T> {
    pub(super) fn new(
        claimed: ClaimedJob,
        data: T,
        engine: EngineHandle,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            data,
            lease: claimed.lease,
            name: claimed.name,
            attempt: claimed.attempt,
            max_attempts: claimed.max_attempts,
            priority: claimed.priority,
            created_at: claimed.created_at,
            engine,
            cancel,
        }
    }

    /// The payload.
    pub fn data(&self) -> &T {
        &self.data
    }

    /// Its id.
    pub fn id(&self) -> &JobId {
        &self.lease.id
    }

    /// Its queue.
    pub fn queue(&self) -> &QueueName {
        &self.lease.queue
    }

    /// The kind of work.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How often a worker has taken it, this time included.
    pub fn start(&self) -> u32 {
        self.lease.start
    }

    /// Attempts it may use.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Its priority; 0 is none.
    pub fn priority(&self) -> u32 {
        self.priority
    }

    /// When it was added.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Completes when the job is to be given up: its lease was lost, or the worker's grace is over.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether the job is to be given up.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Stores how far it is, as any JSON value.
    ///
    /// # Errors
    /// When the lease was lost, or the value is too large or has no JSON form.
    pub async fn progress(&self, value: &impl Serialize) -> Result<(), LeaseError> {
        let value = to_raw_value(value).map_err(|error| LeaseError::Encode(Arc::new(error)))?;
        self.engine.progress(&self.lease, value).await
    }
}
