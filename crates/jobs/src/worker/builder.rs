//! How a worker is configured.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::running::Shared;
use super::{Job, Worker, fetch, renew};
use crate::outcome::{IntoOutcome, JobError};
use crate::queue::Queue;

/// A worker not yet started.
#[derive(Debug)]
#[must_use = "a worker does nothing until it is started"]
pub struct WorkerBuilder<T> {
    queue: Queue<T>,
    concurrency: usize,
    lease: Duration,
    poll: Duration,
}

impl<T> WorkerBuilder<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        Self {
            queue,
            concurrency: 1,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(5),
        }
    }

    /// Jobs at the same time. Default 1; 0 counts as 1.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = jobs.max(1);
        self
    }

    /// How long a job is held without a sign of life; renewed every third of it. Default 30 s, at
    /// least 100 ms. A crashed process's jobs on the same machine are freed at once all the same.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// The longest wait before the engine is asked for jobs although nothing woke the worker. Default 5 s.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll.max(Duration::from_millis(1));
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> WorkerBuilder<T> {
    /// Starts it on the current Tokio runtime.
    ///
    /// The handler may run more than once for a job: when its lease ended (crash, stop, freeze) or when
    /// it failed and has attempts left. It should stop early once [`Job::cancelled`] completes.
    ///
    /// # Panics
    /// Outside a Tokio runtime, or when no thread can be started.
    pub fn start<F, R, O>(self, handler: F) -> Worker
    where
        F: Fn(Job<T>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<O, JobError>> + Send + 'static,
        O: IntoOutcome + Send + 'static,
    {
        let shared = Arc::new(Shared::new(
            self.queue.engine().clone(),
            self.queue.name().clone(),
            self.lease,
        ));
        renew::start(&shared);
        let settings = fetch::Settings {
            concurrency: self.concurrency,
            poll: self.poll,
        };
        tokio::spawn(fetch::run(Arc::clone(&shared), settings, Arc::new(handler)));
        Worker { shared }
    }
}
