//! A connection to a server.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};

use tokio_postgres::{CancelToken, Client};

use super::address::Host;
use super::common::Common;
use super::driver::Driver;
use super::endpoint::{Endpoint, StatementMode};
use super::error::ConnectError;
use super::manager::Opened;
use super::probe::{Probe, Silence};
use crate::postgres::wire::{Failure, Rows, Wire};
use crate::statement::Statement;

/// A connection: the driver's client, and what is known of where it leads.
///
/// The client's statements are sent and read by a task, which begins with the first use of the client. Nothing runs in
/// the background before that.
pub struct PostgresConnection {
    client: Client,
    driver: Driver,
    /// The same stream, for who reads from it without the driver.
    wire: Wire<Common>,
    endpoint: Endpoint,
    statements: StatementMode,
    host: Host,
    probe: Option<Probe>,
    /// Whether the server is not to hear of its end.
    is_severed: bool,
}

impl PostgresConnection {
    /// To what is not known yet to be anything but a pooler.
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            client: opened.client,
            driver: Driver::resting(opened.connection),
            wire: Wire::new(opened.stream),
            endpoint: Endpoint::Pooler,
            statements: StatementMode::Unnamed,
            host: opened.host,
            probe: opened.probe,
            is_severed: false,
        }
    }

    /// To something that is known, and takes statements so.
    pub(super) fn with_endpoint(&mut self, endpoint: Endpoint, statements: StatementMode) {
        self.endpoint = endpoint;
        self.statements = statements;
    }

    /// Where it goes.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// How statements are to be sent on it.
    ///
    /// In [`StatementMode::Unnamed`] that is `query_typed` and its kin with the types of all parameters given, and
    /// only types that are built in among the columns of the answer (cast others to `text`): for any other type the
    /// driver prepares a named statement of its own to look it up.
    pub fn statements(&self) -> StatementMode {
        self.statements
    }

    /// What it leads to.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Begins a statement of ours without the driver, in the mode of the connection.
    ///
    /// Nothing that the client began may be under way.
    pub(in crate::postgres) async fn ask(
        &mut self,
        statement: &Statement,
    ) -> Result<Rows<'_, Common>, Failure> {
        self.rest().await?;
        self.wire.ask(statement, self.statements).await
    }

    /// A round trip.
    pub(super) async fn check(&mut self) -> Result<(), ConnectError> {
        let checked = match self.rest().await {
            Ok(()) => self.wire.check().await,
            Err(error) => Err(error.into()),
        };
        checked.map_err(|failure| match failure {
            Failure::Lost(error) => ConnectError::unreachable(&self.host, error),
            Failure::Refused(refusal) => {
                ConnectError::unreachable(&self.host, io::Error::other(refusal))
            }
        })
    }

    /// Whether it is known to be closed.
    pub fn is_closed(&self) -> bool {
        self.is_over() || self.heard() == Silence::Closed
    }

    /// Whether it may be used again, as far as is known without a look at its socket.
    pub(super) fn is_usable(&self) -> bool {
        !self.wire.is_busy() && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.client.is_closed() || self.driver.is_over()
    }

    /// Whether something came in that was not read yet, or the end. On an idle connection that is mostly the server
    /// saying that it closes it.
    pub(super) fn has_news(&self) -> bool {
        self.heard() != Silence::Kept
    }

    fn heard(&self) -> Silence {
        self.probe.as_ref().map_or(Silence::Kept, Probe::look)
    }

    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// The driver's task ends.
    async fn rest(&mut self) -> io::Result<()> {
        self.driver.rest().await
    }

    /// Takes leave of the server and closes the socket.
    pub(super) async fn close(mut self) {
        // It is closed in any case.
        let _ = self.rest().await;
    }

    /// Closes the socket without a word; what runs on it is not waited for.
    pub(super) fn sever(mut self) {
        self.is_severed = true;
        self.driver.abort();
    }
}

/// What the driver would do: the server hears of it. A driver whose task runs does it by itself.
impl Drop for PostgresConnection {
    fn drop(&mut self) {
        if !self.is_severed && self.driver.is_resting() {
            self.wire.leave();
        }
    }
}

/// The client. Must be called within a runtime.
impl Deref for PostgresConnection {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.driver.run();
        &self.client
    }
}

impl DerefMut for PostgresConnection {
    fn deref_mut(&mut self) -> &mut Client {
        self.driver.run();
        &mut self.client
    }
}

impl fmt::Debug for PostgresConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConnection")
            .field("endpoint", &self.endpoint)
            .field("statements", &self.statements)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
