//! Opens connections for statements of others, for a pool.

use std::time::Instant;

use super::connection::TextConnection;
use crate::pool::Manage;
use crate::postgres::connect::begun::Begun;
use crate::postgres::connect::cancel;
use crate::postgres::connect::probe::Silence;
use crate::postgres::connect::{ConnectError, PostgresManager};

/// Opens them with the driver, and leaves the rest to us.
#[derive(Debug, Clone)]
pub(super) struct TextManager(pub(super) PostgresManager);

impl Manage for TextManager {
    type Connection = TextConnection;
    type Error = ConnectError;

    async fn connect(&self, deadline: Instant) -> Result<TextConnection, ConnectError> {
        let begun = Begun::open(&self.0, deadline).await?;
        if begun.is_superuser {
            // It became one since the start.
            return Err(ConnectError::superuser(&begun.host));
        }
        Ok(TextConnection::new(begun))
    }

    async fn check(&self, connection: &mut TextConnection) -> Result<(), ConnectError> {
        let checked = connection.check().await;
        checked.map_err(|error| ConnectError::unreachable(connection.host(), error))
    }

    fn is_open(&self, connection: &TextConnection) -> bool {
        connection.heard() != Silence::Closed
    }

    fn has_news(&self, connection: &TextConnection) -> bool {
        connection.heard() == Silence::Broken
    }

    fn may_pass(&self, error: &ConnectError) -> bool {
        error.may_pass()
    }

    async fn close(&self, connection: TextConnection) {
        connection.close().await;
    }

    /// Asks the server to stop what may still run on it, then closes the socket.
    fn abandon(&self, connection: TextConnection) {
        if !connection.is_busy() {
            return;
        }
        let manager = self.0.clone();
        tokio::spawn(async move {
            // It is closed either way.
            let _ = cancel::send(&manager, connection.host(), connection.cancel_token()).await;
            drop(connection);
        });
    }
}
