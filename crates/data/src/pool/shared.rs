//! What the handles of one pool share, and the places that are taken and given back.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, Semaphore};

use super::check::Stamp;
use super::manage::Manage;
use super::options::PoolOptions;
use super::state::{Papers, Parked, Phase, State};
use super::statistics::{Occupancy, Statistics};

/// One pool.
pub(super) struct Shared<M: Manage> {
    pub(super) manager: M,
    pub(super) options: PoolOptions,
    /// As many permits as there are free places. Those who wait stand in its queue, first come, first served.
    pub(super) places: Semaphore,
    state: Mutex<State<M::Connection>>,
    /// Counts invocations; 0 while nobody told of one.
    pub(super) invocation: AtomicU64,
    /// Told of each place that becomes free while the pool is being closed.
    pub(super) freed: Notify,
}

impl<M: Manage> Shared<M> {
    pub(super) fn new(manager: M, options: PoolOptions) -> Self {
        Self {
            manager,
            places: Semaphore::new(options.size.get().min(Semaphore::MAX_PERMITS)),
            options,
            state: Mutex::new(State::new()),
            invocation: AtomicU64::new(0),
            freed: Notify::new(),
        }
    }

    /// A panic while the lock is held would be one of ours; what it guards is whole at every step.
    pub(super) fn state(&self) -> MutexGuard<'_, State<M::Connection>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present, for connections.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            moment: self.options.clock.now(),
            invocation: self.invocation.load(Ordering::Relaxed),
        }
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        self.state().occupancy(self.options.size.get(), now())
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.state().statistics(self.options.size.get(), now())
    }
}

/// The present, for deadlines and waits: the clock that tokio's timers follow.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A place in the pool, taken. It is free again when this is dropped, whatever its holder was doing.
pub(super) struct Slot<M: Manage> {
    pub(super) shared: Arc<Shared<M>>,
    /// `None` once it was given back.
    number: Option<u64>,
}

impl<M: Manage> Slot<M> {
    /// Takes the place that a permit stands for; the permit must have been forgotten.
    pub(super) fn take(shared: &Arc<Shared<M>>) -> Self {
        let number = shared.state().take(now());
        Self {
            shared: Arc::clone(shared),
            number: Some(number),
        }
    }

    /// Gives the place back, and the connection to whoever comes next.
    pub(super) fn park(&mut self, papers: Papers<M::Connection>) {
        let Some(number) = self.number.take() else {
            return;
        };
        let shared = &*self.shared;
        let is_open = shared.manager.is_open(&papers.connection);
        let used = shared.stamp();
        // What is not kept is dropped after the lock is released.
        let mut dropped = None;
        let mut state = shared.state();
        if let Some(since) = state.free(number) {
            state.hold.add(now().saturating_duration_since(since));
        }
        if !is_open {
            state.counts.found_closed += 1;
            dropped = Some(papers);
        } else if state.phase == Phase::Closed {
            dropped = Some(papers);
        } else {
            state.idle.push_back(Parked { papers, used });
        }
        let superfluous = state.superfluous(used.moment, shared.options.max_idle);
        drop(state);
        drop(dropped);
        drop(superfluous);
        shared.places.add_permits(1);
        shared.freed.notify_one();
    }
}

impl<M: Manage> Drop for Slot<M> {
    fn drop(&mut self) {
        if let Some(number) = self.number.take() {
            self.shared.state().free(number);
            self.shared.places.add_permits(1);
            self.shared.freed.notify_one();
        }
    }
}

impl<M: Manage> fmt::Debug for Slot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
