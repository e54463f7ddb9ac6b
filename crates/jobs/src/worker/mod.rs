//! Workers: they take jobs under a lease, run a handler, and tell the engine how it ended.
//!
//! A worker never stops by itself: every wait is bounded, an engine that fails is asked again. A handler
//! that panics fails its attempt. Leases are renewed by a thread of their own, so that handlers that keep
//! the runtime busy do not lose them.

mod builder;
mod fetch;
mod job;
mod renew;
mod run;
mod running;
mod stop;

pub use builder::WorkerBuilder;
pub use job::Job;

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

    /// When it last asked the engine for jobs and was answered: its health. Never older than the poll
    /// bound plus the length of a handler while all is well; `None` before the first time.
    pub fn last_fetch(&self) -> Option<Timestamp> {
        self.shared.last_fetch()
    }

    /// How many jobs it runs now.
    pub fn active(&self) -> usize {
        self.shared.running.len()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}
