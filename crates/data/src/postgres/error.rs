//! What errors of the server and the driver mean.

use tokio_postgres::error::{DbError, SqlState};

use super::connect::ManagerError;
use crate::catalog::postgres::ReadError;
use crate::pool::AcquireError;
use crate::run::RunError;
use crate::write::server::{Fault, Refusal, Refused};
use crate::write::{Constraint, Names, SqlState as Told};

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

impl From<ReadError<tokio_postgres::Error>> for PostgresOpenError {
    fn from(error: ReadError<tokio_postgres::Error>) -> Self {
        match error {
            ReadError::Database(error) => Self::Schema(error),
            ReadError::Form(error) => Self::Form(error),
        }
    }
}

/// What an error of a statement means to the caller.
fn classify(error: tokio_postgres::Error) -> RunError {
    match error.code().map(|state| state.code().to_owned()) {
        Some(state) => meaning(&state, error),
        None => RunError::unreachable(error),
    }
}

/// Whether the role may not do this at all, whatever the row. Row security refuses rows under the same code.
fn lacks_a_right(error: &DbError) -> bool {
    *error.code() == SqlState::INSUFFICIENT_PRIVILEGE && error.routine() == Some("aclcheck_error")
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(Box::new(error))
    }
}

impl Refusal for tokio_postgres::Error {
    fn rule(&self, names: &Names) -> Option<Constraint> {
        let error = self.as_db_error().filter(|error| !lacks_a_right(error))?;
        let told = Told {
            code: error.code().code(),
            table: error.table(),
            column: error.column(),
            rule: error.constraint(),
        };
        Constraint::from_state(&told, names)
    }

    /// Nothing can be asked any more in a transaction in which a key was taken: statements have `ON CONFLICT`.
    fn fault(&self) -> Option<Fault> {
        (self.code() == Some(&SqlState::UNDEFINED_TABLE)).then_some(Fault::NoTable)
    }

    fn meaning(self: Box<Self>) -> RunError {
        classify(*self)
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
