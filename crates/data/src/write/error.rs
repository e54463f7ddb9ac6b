//! Why a write did not take place.

use super::constraint::Constraint;
use crate::run::RunError;

/// A write did not take place: nothing of it is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// There is no row with this key.
    #[error("there is no row with this key")]
    NotFound,
    /// The row is not the one the precondition asks for.
    #[error("the row has changed, or exists already, or does not exist any more")]
    PreconditionFailed {
        /// The version of the row there is, if there is one.
        current: Option<String>,
    },
    /// A rule of the schema forbids it.
    #[error("{0}")]
    Constraint(Constraint),
    /// A table of Paceline's own that the statement needs is not there.
    #[error("a table that this needs is not in the database")]
    NoTable,
    /// Another request with the same key is being answered.
    #[error("another request with the same key is being answered")]
    KeyInUse,
    /// The way to the database is HTTP, where a transaction is sent whole: none of its statements can depend on the
    /// answer to another.
    #[error(
        "over HTTP a transaction is sent whole: this one needs the database's postgres:// address"
    )]
    NotInteractive,
    /// The database was opened read-only.
    #[error("the database was opened read-only")]
    ReadOnly,
    /// The statement could not be run.
    #[error("the write did not take place")]
    Run(#[from] RunError),
}
