//! Workers: they take jobs under a lease, run a handler, and tell the engine how it ended.
//!
//! A worker never stops by itself: every wait is bounded, an engine that fails is asked again. A handler
//! that panics fails its attempt. Leases are renewed, and timeouts carried through, by a thread that runs
//! no handler, so that handlers which keep the runtime busy do not lose them.

mod attempt;
mod batch;
mod builder;
mod course;
mod ending;
mod fetch;
mod finish;
mod health;
mod job;
mod renew;
mod run;
mod running;
mod service;
mod settings;
mod slots;
mod stop;
#[cfg(test)]
mod tests;

pub use builder::{BatchBuilder, WorkerBuilder};
pub use course::CancelReason;
pub use health::WorkerHealth;
pub use job::Job;
pub use service::{HandlerFn, handler_fn};

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::names::QueueName;
use crate::queue::Queue;
use running::Shared;

/// A running worker. Stop it with [`Shutdown::stop`](crate::Shutdown::stop); dropped instead, it takes no
/// further jobs and leaves those under way to end by themselves or to lease recovery.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
}

impl Worker {
    /// A worker for `queue`, to be configured and started.
    pub fn builder<T>(queue: Queue<T>) -> WorkerBuilder<T> {
        WorkerBuilder::new(queue)
    }

    /// The queue it serves.
    pub fn queue(&self) -> &QueueName {
        &self.shared.queue
    }

    /// How many jobs (batches) it may run at the same time.
    pub fn concurrency(&self) -> usize {
        self.shared.slots.limit()
    }

    /// Changes how many jobs (batches) it may run at the same time, at once; 0 counts as 1. When it becomes
    /// lower, those under way end first.
    pub fn set_concurrency(&self, jobs: usize) {
        self.shared.slots.set_limit(jobs);
    }

    /// When it last asked the engine for jobs and was answered.
    pub fn last_fetch(&self) -> Option<Timestamp> {
        self.shared.pulse.last_fetch()
    }

    /// How many jobs it holds now: those that run, and those whose ending is being stored.
    pub fn active(&self) -> usize {
        self.shared.running.len()
    }

    /// How it gets on.
    pub fn health(&self) -> WorkerHealth {
        let pulse = &self.shared.pulse;
        WorkerHealth {
            last_fetch: pulse.last_fetch(),
            active: self.active(),
            concurrency: self.concurrency(),
            failures: pulse.failures(),
            last_error: pulse.last_error(),
            taking: !self.shared.stopping.is_cancelled(),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}
