//! Where statements of others run, and how much they may ask for.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::pool::PoolOptions;
use crate::postgres::connect::Address;

/// How to run statements of others. Every bound has a default.
#[derive(Debug, Clone)]
#[must_use = "pass it to `TextDatabase::open`"]
pub struct TextOptions {
    pub(super) address: Address,
    pub(super) pool: PoolOptions,
    pub(super) statement_timeout: Duration,
    pub(super) max_bytes: usize,
    pub(super) max_rows: usize,
}

impl TextOptions {
    /// In the database at this address.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            pool: PoolOptions::default(),
            statement_timeout: Duration::from_secs(10),
            max_bytes: 10 << 20,
            max_rows: 100_000,
        }
    }

    /// The bounds of the pool.
    pub fn pool(mut self, pool: PoolOptions) -> Self {
        self.pool = pool;
        self
    }

    /// How many requests run at once. Default: what fits the [`Place`](crate::pool::Place).
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.pool = self.pool.size(connections);
        self
    }

    /// How long all statements of a request may take together, waiting for a connection included. The server has it
    /// too, for each statement. Default: 10 s.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How many bytes the values of a request's results may have together. Default: 10 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many rows a request's results may have together. Default: 100,000.
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows;
        self
    }
}
