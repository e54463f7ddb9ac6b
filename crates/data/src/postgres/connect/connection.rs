//! A connection to a server.

use std::fmt;
use std::ops::{Deref, DerefMut};

use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client};

use super::address::Host;
use super::endpoint::{Endpoint, StatementMode};
use super::probe::{Probe, Silence};
use crate::postgres::prepared::Prepared;

/// A connection: the driver's client, and what is known of where it leads.
pub struct PostgresConnection {
    client: Client,
    /// Moves the bytes. It ends when the connection does.
    driver: JoinHandle<()>,
    endpoint: Endpoint,
    statements: StatementMode,
    host: Host,
    /// The named statements it has.
    prepared: Prepared,
    probe: Option<Probe>,
}

impl PostgresConnection {
    pub(super) fn new(
        client: Client,
        driver: JoinHandle<()>,
        host: Host,
        endpoint: Endpoint,
        statements: StatementMode,
    ) -> Self {
        Self {
            client,
            driver,
            endpoint,
            statements,
            host,
            prepared: Prepared::default(),
            probe: None,
        }
    }

    /// With a look at its socket.
    pub(super) fn with_probe(self, probe: Option<Probe>) -> Self {
        Self { probe, ..self }
    }

    /// Where it goes.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The client, and the named statements it has.
    pub(in crate::postgres) fn parts(&mut self) -> (&Client, &mut Prepared) {
        (&self.client, &mut self.prepared)
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

    /// Whether it is known to be closed.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.driver.is_finished() || self.heard() == Silence::Closed
    }

    /// Whether something came in that the driver has not read yet. On an idle connection that is mostly the server
    /// saying that it closes it.
    pub(super) fn has_news(&self) -> bool {
        self.heard() == Silence::Broken
    }

    fn heard(&self) -> Silence {
        self.probe.as_ref().map_or(Silence::Kept, Probe::look)
    }

    pub(super) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
    }

    /// Takes leave of the server and waits until the socket is closed.
    pub(super) async fn close(self) {
        let Self { client, driver, .. } = self;
        drop(client);
        // It ends in any case; how does not matter any more.
        let _ = driver.await;
    }

    /// Closes the socket without a word; what runs on it is not waited for.
    pub(super) fn sever(self) {
        self.driver.abort();
    }
}

impl Deref for PostgresConnection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for PostgresConnection {
    fn deref_mut(&mut self) -> &mut Client {
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
