//! Says what an address leads to, and what may be used there.
//!
//! Documentation tells what a pooler ought to do; what it does depends on its version and its settings. So things are
//! tried, with statements that change nothing and names that nobody else has.

mod facts;
mod judge;
mod trials;

use std::time::Instant;

use super::connect::{Address, ConnectError, ManagerError};

pub use facts::{Facts, Named, Sharing};
pub use judge::{Advice, Finding, Grade, advise, judge};

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CannotExamine {
    /// The address itself does not work.
    #[error(transparent)]
    Address(#[from] ManagerError),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A connection was lost in the middle.
    #[error("the connection was lost while it was examined")]
    Lost(#[from] std::io::Error),
    /// It took too long.
    #[error("there was no answer in time")]
    Slow,
}

/// Looks at what `address` leads to. It needs two connections at once, and some seconds at most.
///
/// # Errors
/// When it cannot be connected to, or does not answer before `deadline`.
pub async fn examine(address: &Address, deadline: Instant) -> Result<Facts, CannotExamine> {
    tokio::time::timeout_at(deadline.into(), trials::all(address, deadline))
        .await
        .unwrap_or(Err(CannotExamine::Slow))
}
