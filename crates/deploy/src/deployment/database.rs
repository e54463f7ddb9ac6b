//! What the function reads and writes.

use std::num::NonZeroU32;
use std::time::Duration;

/// The database of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Database {
    /// Which engine.
    pub kind: DatabaseKind,
    /// Connections that one environment holds. Default 1: an environment works on one request at a time.
    pub pool: NonZeroU32,
    /// Connections that the server lets in. Default: what the engine has when it is installed.
    pub max_connections: u32,
}

/// Which engine a deployment's database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatabaseKind {
    /// A SQLite file in the package.
    File {
        /// Whether requests would change it.
        written: bool,
    },
    /// PostgreSQL over its own protocol.
    Postgres,
    /// MySQL or `MariaDB` over its own protocol.
    MySql,
    /// A database that is reached over HTTP, without sessions.
    Http,
}

/// An RDS Proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxy {
    /// How long a statement waits for one of the proxy's connections. Whole seconds. Default 3 s; the proxy's own
    /// default of 120 s outlives the request.
    pub borrow: Duration,
    /// Whether the function logs in with a token of its role instead of a password. Default false.
    pub iam: bool,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            borrow: Duration::from_secs(3),
            iam: false,
        }
    }
}

impl Database {
    /// With every default of its kind.
    pub fn new(kind: DatabaseKind) -> Self {
        Self {
            kind,
            pool: NonZeroU32::MIN,
            max_connections: kind.usual_connections(),
        }
    }
}

impl DatabaseKind {
    /// Whether it is a server with sessions, which are few.
    pub const fn has_sessions(self) -> bool {
        matches!(self, Self::Postgres | Self::MySql)
    }

    /// The port of its protocol.
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Postgres => Some(5432),
            Self::MySql => Some(3306),
            Self::Http => Some(443),
            Self::File { .. } => None,
        }
    }

    /// `max_connections` of a fresh installation, less what is kept for administrators.
    const fn usual_connections(self) -> u32 {
        match self {
            Self::Postgres => 97,
            Self::MySql => 150,
            Self::File { .. } | Self::Http => u32::MAX,
        }
    }
}
