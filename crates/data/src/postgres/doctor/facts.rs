//! What trials showed.

use std::time::Duration;

use super::super::connect::{Encryption, Endpoint};

/// What an address leads to, as far as it could be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a yes or a no"
)]
pub struct Facts {
    /// What was said of it in the address.
    pub said: Option<Endpoint>,
    /// Whether named statements were asked for in the address.
    pub wants_named: bool,
    /// What it is.
    pub endpoint: Endpoint,
    /// What the pooler calls itself, where it tells.
    pub pooler: Option<String>,
    /// The server's version.
    pub server_version: String,
    /// Whether the server only reads: a standby.
    pub is_standby: bool,
    /// Whether the role may do anything.
    pub is_superuser: bool,
    /// How connections are encrypted.
    pub encryption: Encryption,
    /// Whether what is sent stays on this machine.
    pub is_local: bool,
    /// How long it took to connect: network, TLS and authentication.
    pub connect: Duration,
    /// The shortest of some round trips.
    pub round_trip: Duration,
    /// What became of named statements.
    pub named: Named,
    /// Whose a server's session is.
    pub sharing: Sharing,
    /// Whether `options` are taken when a connection begins.
    pub takes_options: bool,
    /// Whether a request to cancel stopped a statement.
    pub cancels: bool,
    /// How many connections the server takes, without those it keeps for administrators.
    pub max_connections: Option<u32>,
    /// How long a statement of this role may take; nothing where there is no bound.
    pub statement_timeout: Option<Duration>,
}

/// What became of named statements of two clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Named {
    /// Each client's were its own, on whichever server connection they ran.
    Work,
    /// They were lost, or collided, with this SQLSTATE.
    Fail(String),
    /// One client's statement was run for another.
    Mixed,
    /// They were not tried: even that would have consequences here.
    NotTried,
}

/// Whose a server's session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// The client's, for as long as its connection stands.
    Own,
    /// Whoever's transaction comes next.
    Transactions,
}
