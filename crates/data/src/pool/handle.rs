//! The pool itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::time::timeout_at;

use super::error::AcquireError;
use super::lease::Lease;
use super::manage::Manage;
use super::options::PoolOptions;
use super::shared::{Shared, now};
use super::state::Phase;
use super::statistics::Statistics;
use super::{fill, wait};

/// How many connections in a row may fail their first check before warming is given up.
const WARMINGS: u32 = 3;

/// Connections that are lent and returned. Clones are the same pool.
///
/// Nothing is opened before it is needed, and no task runs in the background: whatever has to be decided is decided
/// when a connection is lent or returned, so that a process may be frozen at any time in between.
pub struct Pool<M: Manage> {
    shared: Arc<Shared<M>>,
}

impl<M: Manage> Pool<M> {
    /// An empty pool.
    pub fn new(manager: M, options: PoolOptions) -> Self {
        Self {
            shared: Arc::new(Shared::new(manager, options)),
        }
    }

    /// Lends a connection. Waits for one until `deadline`, and no longer: waiting in the queue, checking, connecting
    /// and trying again all count. Who waits longest is served first; the connection used last is lent first.
    ///
    /// The future may be dropped at any point: the place in the queue, or the connection that was about to be
    /// lent, is free for the next one.
    ///
    /// # Errors
    /// When there is none by then, when waiting would be hopeless, and after [`Pool::close`].
    pub async fn acquire(&self, deadline: Instant) -> Result<Lease<M>, AcquireError> {
        let slot = wait::place(&self.shared, deadline).await?;
        let papers = fill::connection(&self.shared, deadline).await?;
        self.shared.state().counts.lent += 1;
        Ok(Lease::new(papers, slot))
    }

    /// Makes sure that one connection stands, by a round trip on it, and puts it ready. For the start of a process
    /// and for warm-up events; see [`start_budget`](super::start_budget).
    ///
    /// # Errors
    /// Those of [`Pool::acquire`]. A start need not fail on them: the first request tries again.
    pub async fn warm(&self, deadline: Instant) -> Result<(), AcquireError> {
        let began = now();
        let mut last = None;
        for _ in 0..WARMINGS {
            let mut lease = self.acquire(deadline).await?;
            let checking = self.shared.manager.check(&mut lease);
            match timeout_at(deadline.into(), checking).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => last = Some(error),
                // The next round finds that the deadline is over.
                Err(_) => {}
            }
            lease.discard();
        }
        Err(fill::failed(&self.shared, WARMINGS, began, last))
    }

    /// Says that an invocation of a serverless function begins: the process may have been frozen since the last one.
    /// Called at each invocation, it lets a connection be lent unchecked within one. Who never calls it loses
    /// nothing but that.
    pub fn begin_invocation(&self) {
        self.shared.invocation.fetch_add(1, Ordering::Relaxed);
    }

    /// How busy the pool is, and what it has counted.
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics()
    }

    /// What opens the connections.
    pub fn manager(&self) -> &M {
        &self.shared.manager
    }

    /// Ends: who waits is refused at once, connections that lie ready are closed as their protocol wants it, and
    /// those that are out are waited for until `deadline`. Later calls of [`Pool::acquire`] are refused.
    pub async fn close(&self, deadline: Instant) -> Closed {
        let shared = &*self.shared;
        shared.state().phase = Phase::Closing;
        shared.places.close();
        let mut closed = 0;
        loop {
            let freed = shared.freed.notified();
            let (idle, all_free) = {
                let mut state = shared.state();
                (std::mem::take(&mut state.idle), state.all_free())
            };
            for parked in idle {
                let closing = shared.manager.close(parked.papers.connection);
                // Politeness ends at the deadline; the connection is gone either way.
                let _ = timeout_at(deadline.into(), closing).await;
                closed += 1;
            }
            if all_free || timeout_at(deadline.into(), freed).await.is_err() || now() >= deadline {
                break;
            }
        }
        let mut state = shared.state();
        state.phase = Phase::Closed;
        let late = std::mem::take(&mut state.idle);
        let left = state.occupancy(0, now()).in_use;
        drop(state);
        Closed {
            closed: closed + late.len(),
            left,
        }
    }
}

/// How closing a pool ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Connections that were closed.
    pub closed: usize,
    /// Connections that were still out at the deadline; they are closed when they are returned.
    pub left: usize,
}

impl<M: Manage> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<M: Manage> fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("options", &self.shared.options)
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
