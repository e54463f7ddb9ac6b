//! A database server behind pools of connections: what its engines have in common, whichever driver speaks to it.

mod running;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use crate::pool::{Manage, Pool, PoolOptions, Statistics};
use crate::run::{Counters, Counts, Exports, RunError};

pub(crate) use running::{Running, Stopped, Unanswered};

/// How long closing may take: connections are closed politely in it.
const CLOSE: Duration = Duration::from_millis(500);

/// How much a server may be asked for at once, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Those of the pool of exports, but for its size.
    pub(crate) pool: PoolOptions,
    pub(crate) query_timeout: Duration,
    pub(crate) max_exports: NonZeroUsize,
    pub(crate) export_stall_timeout: Duration,
    pub(crate) writable: bool,
}

/// The pools and what is counted.
#[derive(Debug)]
pub(crate) struct Server<M: Manage> {
    pool: Pool<M>,
    /// Connections of exports, so that long ones do not hold up the pages.
    export_pool: Pool<M>,
    exports: Exports,
    counters: Arc<Counters>,
    query_timeout: Duration,
    writable: bool,
    runtime: Handle,
}

impl<M: Manage + Clone> Server<M> {
    /// With this pool for pages, single rows and writes, and another one for exports.
    pub(crate) fn new(pool: Pool<M>, bounds: Bounds) -> Self {
        let counters = Arc::<Counters>::default();
        let most = bounds.max_exports;
        Self {
            export_pool: Pool::new(pool.manager().clone(), bounds.pool.size(most)),
            exports: Exports::new(most, bounds.export_stall_timeout, Arc::clone(&counters)),
            pool,
            counters,
            query_timeout: bounds.query_timeout,
            writable: bounds.writable,
            runtime: Handle::current(),
        }
    }
}

impl<M: Manage> Server<M> {
    /// How long a query may take, waiting for a connection included.
    pub(crate) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    /// When a query that begins now has taken as long as it may.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.query_timeout
    }

    /// A connection for a statement that is begun now.
    pub(crate) async fn begin(&self, deadline: Instant) -> Result<Running<M>, RunError> {
        let lease = self.pool.acquire(deadline).await?;
        self.counters.statement();
        Ok(Running::new(lease))
    }

    /// A place among the exports that run, and a connection for its statement.
    pub(crate) async fn begin_export(
        &self,
    ) -> Result<(OwnedSemaphorePermit, Running<M>), RunError> {
        let place = self.exports.admit()?;
        let lease = self.export_pool.acquire(self.deadline()).await?;
        self.counters.statement();
        Ok((place, Running::new(lease)))
    }

    /// The exports.
    pub(crate) fn exports(&self) -> &Exports {
        &self.exports
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the server answers in time.
    pub(crate) async fn is_readable(&self) -> bool {
        let deadline = self.deadline();
        let Ok(lease) = self.pool.acquire(deadline).await else {
            return false;
        };
        let mut running = Running::new(lease);
        let checking = self.pool.manager().check(running.connection());
        let answered = timeout_at(deadline.into(), checking).await;
        let answered = matches!(answered, Ok(Ok(())));
        if answered {
            running.finish();
        }
        answered
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// How busy the connections of pages and single rows are.
    pub(crate) fn statistics(&self) -> Statistics {
        self.pool.statistics()
    }

    /// Takes no more statements and closes the connections. Blocks; not to be called on a worker of the runtime.
    pub(crate) fn close(&self) {
        self.exports.close();
        self.runtime.block_on(async {
            let deadline = Instant::now() + CLOSE;
            self.pool.close(deadline).await;
            self.export_pool.close(deadline).await;
        });
    }
}
