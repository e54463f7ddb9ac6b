//! What errors of the server and the driver mean.

use tokio_postgres::error::SqlState;

use super::connect::ManagerError;
use crate::catalog::postgres::ReadError;
use crate::pool::AcquireError;
use crate::run::RunError;

/// A database cannot be used. The message names the server and says what to do; it holds no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresOpenError {
    /// Connections as the address wants them cannot be made.
    #[error("the address of the database cannot be used")]
    Address(#[from] ManagerError),
    /// The server cannot be reached, or refuses.
    #[error("no connection to the database")]
    Connect(#[from] AcquireError),
    /// The schema cannot be read.
    #[error("the schema of the database cannot be read")]
    Schema(#[from] tokio_postgres::Error),
    /// What the server says of its schema is not understood.
    #[error("what the database says of its schema is not understood")]
    Form(#[source] serde_json::Error),
    /// Reading the schema took too long.
    #[error("reading the schema of the database took too long")]
    Timeout,
}

/// What it means that no connection was to be had.
pub(super) fn not_lent(error: AcquireError) -> RunError {
    if error.is_exhausted() {
        RunError::overloaded_for(error.retry_after(), error)
    } else if error.is_closed() {
        RunError::stopped()
    } else if error.is_connect() {
        RunError::unreachable(error)
    } else {
        RunError::timeout()
    }
}

impl From<ReadError<tokio_postgres::Error>> for PostgresOpenError {
    fn from(error: ReadError<tokio_postgres::Error>) -> Self {
        match error {
            ReadError::Database(error) => Self::Schema(error),
            ReadError::Form(error) => Self::Form(error),
        }
    }
}

/// What an error of a statement means to the caller.
pub(super) fn classify(error: tokio_postgres::Error) -> RunError {
    match error.code().map(|state| state.code().to_owned()) {
        Some(state) => meaning(&state, error),
        None => RunError::unreachable(error),
    }
}

/// What the server's code for a refusal means to the caller.
pub(crate) fn meaning(
    state: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> RunError {
    match state {
        // Its own timeout, or an administrator.
        state if state == SqlState::QUERY_CANCELED.code() => RunError::timeout(),
        // Deadlock, serialization, a lock that was not to be had.
        "40001" | "40P01" | "55P03" => RunError::busy(error),
        state if state == SqlState::TOO_MANY_CONNECTIONS.code() => RunError::unreachable(error),
        state => match state.get(..2).unwrap_or_default() {
            // Connection exceptions, an administrator's shutdown, a start that is not over.
            "08" | "57" => RunError::unreachable(error),
            // Data exceptions: a date that does not exist, a number out of range.
            "22" => RunError::value(error),
            _ => RunError::database(error),
        },
    }
}
