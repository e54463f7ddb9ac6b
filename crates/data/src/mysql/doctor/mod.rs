//! Says what an address leads to, and what may be used there. Things are tried, with statements that change nothing.

mod judge;
mod trials;

use std::time::{Duration, Instant};

use super::connect::{Address, ConnectError, Encryption, Session, TlsSetUpError};

pub use crate::postgres::doctor::{Finding, Grade};
pub use judge::{Advice, advise, judge};

/// What an address leads to, as far as it could be found out.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a yes or a no"
)]
pub struct Facts {
    /// What a session is like.
    pub session: Session,
    /// Whether the number a connection is told is the server's own: nothing shares connections in between.
    pub is_direct: bool,
    /// Whether the host's name is that of an Amazon RDS Proxy.
    pub is_rds_proxy: bool,
    /// Whether the server only reads.
    pub is_read_only: bool,
    /// How connections are encrypted.
    pub encryption: Encryption,
    /// Whether what is sent stays on this machine.
    pub is_local: bool,
    /// How long it took to connect: network, TLS, authentication, and the question that follows.
    pub connect: Duration,
    /// The shortest of some round trips.
    pub round_trip: Duration,
    /// Whether a prepared statement ran.
    pub prepares: bool,
    /// Whether a statement was stopped from another connection; nothing where that was not tried.
    pub kills: Option<bool>,
    /// How many connections the server takes.
    pub max_connections: Option<u64>,
    /// A connection that is not used for so long is closed.
    pub wait_timeout: Option<Duration>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CannotExamine {
    /// The address itself does not work.
    #[error(transparent)]
    Address(#[from] TlsSetUpError),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A connection was lost in the middle, or the server refused a question.
    #[error("the connection was lost while it was examined")]
    Lost(#[from] mysql_async::Error),
    /// It took too long.
    #[error("there was no answer in time")]
    Slow,
}

/// Looks at what `address` leads to. It needs three connections at once, and some seconds at most.
///
/// # Errors
/// When it cannot be connected to, or does not answer before `deadline`.
pub async fn examine(address: &Address, deadline: Instant) -> Result<Facts, CannotExamine> {
    tokio::time::timeout_at(deadline.into(), trials::all(address, deadline))
        .await
        .unwrap_or(Err(CannotExamine::Slow))
}
