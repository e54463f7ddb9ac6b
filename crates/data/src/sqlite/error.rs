//! Why a file could not be opened, and why a statement gave no answer.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::guard::Guard;
use crate::run::RunError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A database file could not be opened. The message names the file and says what to do.
#[derive(Debug)]
pub struct OpenError {
    path: PathBuf,
    kind: OpenKind,
    source: Option<Source>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenKind {
    Missing,
    Directory,
    NotADatabase,
    Locked,
    UnfinishedTransaction,
    NotWal,
    NotWritable,
    Unreadable,
    Threads,
}

impl OpenError {
    pub(super) fn new(path: &Path, kind: OpenKind, source: Option<Source>) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            source,
        }
    }

    /// What the driver's error means at opening.
    pub(crate) fn from_driver(path: &Path, error: rusqlite::Error) -> Self {
        let kind = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => OpenKind::NotADatabase,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => OpenKind::Locked,
                ErrorCode::ReadOnly
                    if failure.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK =>
                {
                    OpenKind::UnfinishedTransaction
                }
                ErrorCode::ReadOnly => OpenKind::NotWritable,
                _ => OpenKind::Unreadable,
            },
            _ => OpenKind::Unreadable,
        };
        Self::new(path, kind, Some(Box::new(error)))
    }

    /// The file that was to be opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        self.kind == OpenKind::Missing
    }

    /// Whether the file is not a SQLite database.
    pub fn is_not_a_database(&self) -> bool {
        self.kind == OpenKind::NotADatabase
    }

    /// Whether another process holds the file.
    pub fn is_locked(&self) -> bool {
        self.kind == OpenKind::Locked
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.kind {
            OpenKind::Missing => write!(
                formatter,
                "there is no database {path}: check the path, it is not created"
            ),
            OpenKind::Directory => write!(
                formatter,
                "{path} is a directory: name the database file in it"
            ),
            OpenKind::NotADatabase => write!(
                formatter,
                "{path} is not a SQLite database, or it is damaged or encrypted"
            ),
            OpenKind::Locked => {
                write!(
                    formatter,
                    "the database {path} is locked by another process: stop that one, or try again"
                )
            }
            OpenKind::UnfinishedTransaction => write!(
                formatter,
                "the database {path} has an unfinished transaction from a crash: open it once with write access, \
                 for example with the sqlite3 shell, to repair it"
            ),
            OpenKind::NotWal => write!(
                formatter,
                "the database {path} could not be put into WAL mode: stop the other processes that use it, and keep \
                 it on a local disk"
            ),
            OpenKind::NotWritable => write!(
                formatter,
                "the database {path} cannot be written: check the permissions of the file and its folder, or open \
                 it read-only"
            ),
            OpenKind::Unreadable => {
                write!(
                    formatter,
                    "the database {path} cannot be read: check the permissions of the file and its folder"
                )
            }
            OpenKind::Threads => write!(
                formatter,
                "no thread could be started to read the database {path}"
            ),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// What an error of the driver means to the caller.
pub(crate) fn classify(error: rusqlite::Error, guard: &Guard) -> RunError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => {
            guard.check().err().unwrap_or_else(RunError::stopped)
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RunError::busy(error),
        Some(ErrorCode::TooBig) => RunError::too_large(),
        _ => RunError::database(error),
    }
}

/// The transaction could not be begun or committed.
pub(crate) fn not_committed(error: &rusqlite::Error) -> RunError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            RunError::busy(error.to_string())
        }
        _ => RunError::database(error.to_string()),
    }
}

/// No connection could be opened for the statement.
pub(crate) fn not_opened(error: OpenError) -> RunError {
    if error.is_locked() {
        RunError::busy(error)
    } else {
        RunError::database(error)
    }
}
