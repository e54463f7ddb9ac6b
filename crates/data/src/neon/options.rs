//! Which database is asked over HTTP, and how much it may be asked for at once.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::address::NeonAddress;

/// How to use a database over HTTP. Every bound has a default.
#[derive(Debug, Clone)]
#[must_use = "pass it to `Database::connect_neon`"]
pub struct NeonOptions {
    pub(super) address: NeonAddress,
    pub(super) writable: bool,
    pub(super) query_timeout: Duration,
    pub(super) open_timeout: Duration,
    pub(super) max_exports: NonZeroUsize,
    pub(super) export_stall_timeout: Duration,
}

impl NeonOptions {
    /// The database at this address, read-only.
    pub fn new(address: NeonAddress) -> Self {
        Self {
            address,
            writable: false,
            query_timeout: Duration::from_secs(5),
            open_timeout: Duration::from_secs(10),
            max_exports: const { NonZeroUsize::new(4).expect("a literal above zero") },
            export_stall_timeout: Duration::from_secs(30),
        }
    }

    /// Whether rows may be written. Default: no.
    pub fn writable(mut self, writable: bool) -> Self {
        self.writable = writable;
        self
    }

    /// How long a query may take, connecting and waking the database included. Default: 5 s.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = timeout;
        self
    }

    /// How many exports may run at once; the next one is refused as overload. Default: 4.
    pub fn max_exports(mut self, exports: NonZeroUsize) -> Self {
        self.max_exports = exports;
        self
    }

    /// How long an export may go without a frame: read from the database, or taken by the client. Default: 30 s.
    pub fn export_stall_timeout(mut self, timeout: Duration) -> Self {
        self.export_stall_timeout = timeout;
        self
    }

    /// How long reading the schema may take. Default: 10 s.
    pub fn open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }
}
