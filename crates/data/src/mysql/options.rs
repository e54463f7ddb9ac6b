//! Which server is read, and how much it may be asked to do at once.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::connect::Address;
use crate::pool::PoolOptions;

/// How to use a MySQL or `MariaDB` database. Every bound has a default.
#[derive(Debug, Clone)]
#[must_use = "pass it to `connect`"]
pub struct MySqlOptions {
    pub(crate) address: Address,
    pub(crate) pool: PoolOptions,
    pub(crate) query_timeout: Duration,
    pub(crate) max_exports: NonZeroUsize,
    pub(crate) export_stall_timeout: Duration,
    pub(crate) open_timeout: Duration,
    pub(crate) writable: bool,
}

impl MySqlOptions {
    /// The database at this address, read-only.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            pool: PoolOptions::default(),
            query_timeout: Duration::from_secs(5),
            max_exports: const { NonZeroUsize::new(4).expect("a literal above zero") },
            export_stall_timeout: Duration::from_secs(30),
            open_timeout: Duration::from_secs(10),
            writable: false,
        }
    }

    /// The bounds of the pool whose connections serve pages and single rows. Exports have one of their own, with
    /// the same bounds but for its size.
    pub fn pool(mut self, pool: PoolOptions) -> Self {
        self.pool = pool;
        self
    }

    /// How many connections serve pages and single rows. Default: what fits the
    /// [`Place`](crate::pool::Place) the process runs in.
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.pool = self.pool.size(connections);
        self
    }

    /// How long a query may take, waiting for a connection included. Default: 5 s.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = timeout;
        self
    }

    /// How many exports may run at once, each on a connection of its own; the next one is refused as overload.
    /// Default: 4.
    pub fn max_exports(mut self, exports: NonZeroUsize) -> Self {
        self.max_exports = exports;
        self
    }

    /// How long an export may go without a frame: made by the statement, or taken by the client.
    /// Default: 30 s.
    pub fn export_stall_timeout(mut self, timeout: Duration) -> Self {
        self.export_stall_timeout = timeout;
        self
    }

    /// Whether rows may be written, as far as the role may. Default: no.
    pub fn writable(mut self, writable: bool) -> Self {
        self.writable = writable;
        self
    }

    /// How long connecting and reading the schema may take. Default: 10 s.
    pub fn open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }
}
