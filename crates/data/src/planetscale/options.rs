//! Which database is served, and how much it may be asked for at once.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::address::Address;
use super::error::PlanetScaleError;
use crate::postgres::connect::TlsSetUpError;

/// How to use a database at PlanetScale over HTTP. Every bound has a default.
#[derive(Debug, Clone)]
#[must_use = "pass it to `Database::connect_planetscale`"]
pub struct PlanetScaleOptions {
    pub(super) address: Address,
    pub(super) requests: NonZeroUsize,
    pub(super) query_timeout: Duration,
    pub(super) open_timeout: Duration,
    pub(super) max_exports: NonZeroUsize,
    pub(super) export_stall_timeout: Duration,
    pub(super) writable: bool,
}

impl PlanetScaleOptions {
    /// The database at this address, read-only.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            requests: const { NonZeroUsize::new(32).expect("a literal above zero") },
            query_timeout: Duration::from_secs(5),
            open_timeout: Duration::from_secs(10),
            max_exports: const { NonZeroUsize::new(4).expect("a literal above zero") },
            export_stall_timeout: Duration::from_secs(30),
            writable: false,
        }
    }

    /// How many statements may be under way for pages, single rows and writes; the next one waits. Default: 32.
    pub fn requests(mut self, requests: NonZeroUsize) -> Self {
        self.requests = requests;
        self
    }

    /// How long a query may take, waiting and connecting included. Default: 5 s.
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

    /// Whether rows may be written, as far as the password may. Default: no.
    pub fn writable(mut self, writable: bool) -> Self {
        self.writable = writable;
        self
    }
}

/// A database cannot be used. The message names the server and says what to do; it holds no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanetScaleOpenError {
    /// It cannot be asked over TLS.
    #[error("the address of the database cannot be used")]
    Address(#[from] TlsSetUpError),
    /// It does not answer, or refuses; or its schema cannot be read.
    #[error("the schema of the database cannot be read")]
    Schema(#[from] PlanetScaleError),
    /// What does not fit would be cut off without a word.
    #[error(
        "the database stores values that do not fit without saying so: its sql_mode has neither STRICT_TRANS_TABLES nor \
         STRICT_ALL_TABLES, so nothing can be written"
    )]
    Lax,
}
