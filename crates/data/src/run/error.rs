//! Why a statement gave no answer.

use std::fmt;
use std::time::Duration;

use crate::encode::EncodeError;
use crate::pool::AcquireError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A statement gave no answer.
#[derive(Debug)]
pub struct RunError {
    kind: RunKind,
    retry_after: Option<Duration>,
    source: Option<Source>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Overloaded,
    Timeout,
    Stopped,
    Stalled,
    Busy,
    Unreachable,
    Value,
    Encode,
    TooLarge,
    Unknown,
    Database,
}

impl RunError {
    fn new(kind: RunKind) -> Self {
        Self {
            kind,
            retry_after: None,
            source: None,
        }
    }

    fn because(kind: RunKind, source: impl Into<Source>) -> Self {
        Self {
            kind,
            retry_after: None,
            source: Some(source.into()),
        }
    }

    /// An error of work in a transaction that is not the database's.
    pub fn other(source: impl Into<Source>) -> Self {
        Self::because(RunKind::Encode, source)
    }

    /// Work in a transaction that took longer than it may.
    pub fn out_of_time() -> Self {
        Self::timeout()
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(RunKind::Overloaded)
    }

    /// The same, where it is known when there may be room.
    pub(crate) fn overloaded_for(wait: Duration, source: impl Into<Source>) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::because(RunKind::Overloaded, source)
        }
    }

    pub(crate) fn timeout() -> Self {
        Self::new(RunKind::Timeout)
    }

    pub(crate) fn stopped() -> Self {
        Self::new(RunKind::Stopped)
    }

    pub(crate) fn stalled() -> Self {
        Self::new(RunKind::Stalled)
    }

    pub(crate) fn busy(source: impl Into<Source>) -> Self {
        Self::because(RunKind::Busy, source)
    }

    pub(crate) fn unreachable(source: impl Into<Source>) -> Self {
        Self::because(RunKind::Unreachable, source)
    }

    pub(crate) fn value(source: impl Into<Source>) -> Self {
        Self::because(RunKind::Value, source)
    }

    pub(crate) fn encode(error: EncodeError) -> Self {
        Self::because(RunKind::Encode, error)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(RunKind::TooLarge)
    }

    pub(crate) fn unknown(source: impl Into<Source>) -> Self {
        Self::because(RunKind::Unknown, source)
    }

    pub(crate) fn database(source: impl Into<Source>) -> Self {
        Self::because(RunKind::Database, source)
    }

    /// The database gave the transaction up before it could be committed.
    pub(crate) fn rolled_back() -> Self {
        Self::database("the transaction was rolled back")
    }

    /// Whether too much is waiting or running already: try again later.
    pub fn is_overloaded(&self) -> bool {
        self.kind == RunKind::Overloaded
    }

    /// After how long another try makes sense, where there is an estimate of it.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the statement took longer than it may.
    pub fn is_timeout(&self) -> bool {
        self.kind == RunKind::Timeout
    }

    /// Whether nobody waited for the answer any more, or the database was being closed.
    pub fn is_stopped(&self) -> bool {
        self.kind == RunKind::Stopped
    }

    /// Whether the client of an export did not take what was ready for it.
    pub fn is_stalled(&self) -> bool {
        self.kind == RunKind::Stalled
    }

    /// Whether another process kept the file locked: try again later.
    pub fn is_busy(&self) -> bool {
        self.kind == RunKind::Busy
    }

    /// Whether the database server cannot be reached, is starting or is going down: try again later.
    pub fn is_unreachable(&self) -> bool {
        self.kind == RunKind::Unreachable
    }

    /// Whether a value of the request is none its column can hold: only the database could tell.
    pub fn is_value(&self) -> bool {
        self.kind == RunKind::Value
    }

    /// Whether the answer would hold more than is kept in memory: ask for less.
    pub fn is_too_large(&self) -> bool {
        self.kind == RunKind::TooLarge
    }

    /// Whether it is not known if the statement was carried out: the answer to what had left was lost.
    pub fn is_unknown(&self) -> bool {
        self.kind == RunKind::Unknown
    }

    /// Whether a value of the database could not be encoded.
    pub fn is_encode(&self) -> bool {
        self.kind == RunKind::Encode
    }
}

/// What it means that no connection was to be had.
impl From<AcquireError> for RunError {
    fn from(error: AcquireError) -> Self {
        if error.is_exhausted() {
            Self::overloaded_for(error.retry_after(), error)
        } else if error.is_closed() {
            Self::stopped()
        } else if error.is_connect() {
            Self::unreachable(error)
        } else {
            Self::timeout()
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.kind {
            RunKind::Overloaded => "the database has as much to do as it may have",
            RunKind::Timeout => "the statement took longer than it may",
            RunKind::Stopped => "the statement was stopped",
            RunKind::Stalled => "the client did not take the rows that were ready for it",
            RunKind::Busy => "the database is locked by another process",
            RunKind::Unreachable => "the database server cannot be used",
            RunKind::Value => "a value is none its column can hold",
            RunKind::TooLarge => "the answer is larger than it may be",
            RunKind::Unknown => {
                "the answer was lost: whether the statement was carried out is not known"
            }
            RunKind::Encode => "a row cannot be encoded",
            RunKind::Database => "the database refused the statement",
        })
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
