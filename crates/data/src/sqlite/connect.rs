//! Connections to one file, each set up for what it is for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{OpenError, OpenKind};
use super::options::{Access, SqliteOptions};
use super::{gather, row_version};

/// Prepared statements kept by each connection: lists, selections and filters in use at a time.
const STATEMENTS_KEPT: usize = 256;
/// Page cache of a connection in KiB, filled only as pages are read.
const PAGE_CACHE_KIB: i64 = 8192;

/// Knows the file and how to open it.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    path: Arc<Path>,
    access: Access,
    busy_timeout: Duration,
    row_version_key: RowVersionKey,
}

#[derive(Clone, Copy)]
struct RowVersionKey([u8; 32]);

impl std::fmt::Debug for RowVersionKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl Connector {
    /// Checks the path and, for write access, puts the file into WAL mode.
    pub(super) fn new(options: &SqliteOptions) -> Result<Self, OpenError> {
        let path = checked(&options.path)?;
        let connector = Self {
            path: path.into(),
            access: options.access,
            busy_timeout: options.query_timeout,
            row_version_key: RowVersionKey(options.row_version_key.unwrap_or_else(random_key)),
        };
        if connector.access == Access::ReadWrite {
            connector.use_wal()?;
        }
        Ok(connector)
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// A connection for pages, exports and the catalog.
    pub(crate) fn reader(&self) -> Result<Connection, OpenError> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        self.configure(&connection)
            .map_err(|error| self.error(error))?;
        Ok(connection)
    }

    /// The connection whose `data_version` tells of commits. It never waits for a lock.
    pub(crate) fn watcher(&self) -> Result<Connection, OpenError> {
        let connection = self.reader()?;
        connection
            .busy_timeout(Duration::ZERO)
            .map_err(|error| self.error(error))?;
        Ok(connection)
    }

    /// The connection that writes: commits are durable when they return, and checkpoints are left to
    /// the caller.
    pub(crate) fn writer(&self) -> Result<Connection, OpenError> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let set_up = || -> rusqlite::Result<()> {
            self.configure(&connection)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            // Pages leave the cache with the commit, never before it: the version watcher counts on it.
            connection.pragma_update(None, "cache_spill", false)
        };
        set_up().map_err(|error| self.error(error))?;
        Ok(connection)
    }

    pub(crate) fn error(&self, error: rusqlite::Error) -> OpenError {
        OpenError::from_driver(&self.path, error)
    }

    pub(crate) fn threads(&self, error: std::io::Error) -> OpenError {
        OpenError::new(&self.path, OpenKind::Threads, Some(Box::new(error)))
    }

    fn open(&self, access: OpenFlags) -> Result<Connection, OpenError> {
        // Without SQLITE_OPEN_CREATE: a mistyped path is an error, not a new file.
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|error| self.error(error))?;
        connection
            .busy_timeout(self.busy_timeout)
            .map_err(|error| self.error(error))?;
        Ok(connection)
    }

    fn configure(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
        // The schema is input: its views and triggers get no functions with side effects.
        connection.pragma_update(None, "trusted_schema", false)?;
        // One plan a text: else each new value of a filter or cursor has its statement compiled again.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        row_version::register(connection, self.row_version_key.0)?;
        gather::register(connection)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    }

    fn use_wal(&self) -> Result<(), OpenError> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let switch = "PRAGMA journal_mode=WAL";
        let mode: String = connection
            .query_row(switch, [], |row| row.get(0))
            .map_err(|error| self.error(error))?;
        if mode == "wal" {
            Ok(())
        } else {
            Err(OpenError::new(&self.path, OpenKind::NotWal, None))
        }
    }
}

/// The path made absolute, so that SQLite takes no part of it for anything but a path.
fn checked(path: &Path) -> Result<PathBuf, OpenError> {
    let fail =
        |kind, error: Option<std::io::Error>| OpenError::new(path, kind, error.map(Into::into));
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => fail(OpenKind::Missing, None),
        _ => fail(OpenKind::Unreadable, Some(error)),
    })?;
    if metadata.is_dir() {
        return Err(fail(OpenKind::Directory, None));
    }
    std::path::absolute(path).map_err(|error| fail(OpenKind::Unreadable, Some(error)))
}

fn random_key() -> [u8; 32] {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the operating system gives random bytes");
    key
}
