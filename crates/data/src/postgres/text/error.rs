//! Why there is no result.

use std::io;
use std::time::Duration;

use super::refusal::Refusal;
use crate::pool::AcquireError;
use crate::postgres::connect::ManagerError;

/// Statements gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The server refused a statement. Those before it in a batch are undone.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// They took longer than they may; the server was asked to stop them.
    #[error("the statement took longer than {0:?}")]
    Timeout(Duration),
    /// The result is larger than is taken. A batch is undone; a single statement may have been carried out.
    #[error("the result is larger than {0}")]
    TooLarge(TooLarge),
    /// There was no connection for it.
    #[error("there is no connection to the database")]
    NotConnected(#[from] AcquireError),
    /// The connection was lost on the way.
    #[error("the connection to the database was lost")]
    Lost(#[from] io::Error),
}

/// What is too large, and what is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// The bytes of all values.
    #[error("{0} bytes")]
    Bytes(usize),
    /// The rows.
    #[error("{0} rows")]
    Rows(usize),
}

impl From<Refusal> for TextError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// The database cannot be used for statements of others. The message says what to do; it holds no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextOpenError {
    /// Connections as the address wants them cannot be made.
    #[error("the address of the database cannot be used")]
    Address(#[from] ManagerError),
    /// The server cannot be reached, or refuses.
    #[error("no connection to the database")]
    Connect(#[from] AcquireError),
    /// The role cannot be looked at.
    #[error("the rights of the role cannot be read")]
    Role(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The role may do anything, or become one that may.
    #[error(
        "the role may become {0}, which reaches beyond the database: give the address of a role that is no superuser, \
         makes no roles, and may not run programs or touch files on the server"
    )]
    Mighty(String),
    /// A pooler stands in between.
    #[error(
        "the address leads to {0}, which would mix up the sessions of those who send statements: give the address of \
         the server itself"
    )]
    Pooled(String),
}
