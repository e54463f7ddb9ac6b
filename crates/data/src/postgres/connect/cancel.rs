//! Asking a server to stop what runs on a connection.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::time::{timeout, timeout_at};
use tokio_postgres::{CancelToken, NoTls};
use tokio_util::either::Either;

use super::address::Host;
use super::common::{Common, Keep, Kept};
use super::error::ConnectError;
use super::manager::PostgresManager;
use super::socket::{self, Socket};

/// How long the caller waits for it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long the connection of a request is kept open for the other side to close it.
const KEPT: Duration = Duration::from_mins(1);

/// Sends the request over a connection of its own, and waits until the other side closes that: the request is through
/// then, and hits nothing that is sent later.
///
/// The connection must not be closed from here. `PgBouncer` 1.18 ends with `bad client state` when the client of a
/// request leaves before the request is passed on, and takes all its clients with it.
pub(in crate::postgres) async fn send(
    manager: &PostgresManager,
    host: &Host,
    token: CancelToken,
) -> Result<(), ConnectError> {
    let deadline = Instant::now() + TIMEOUT;
    let socket = socket::connect(host, deadline)
        .await
        .map_err(|error| ConnectError::unreachable(host, error))?;
    let driver = |error| ConnectError::driver(host, error);
    let mut stream = match manager.connector::<Socket>(host) {
        None => {
            let stream = Common::new(Either::Left(socket));
            let sent = token.cancel_query_raw(stream.clone(), NoTls).await;
            sent.map_err(driver)?;
            stream
        }
        Some(connector) => {
            let kept = Kept::default();
            let tls = Keep {
                inner: connector,
                kept: Arc::clone(&kept),
            };
            token.cancel_query_raw(socket, tls).await.map_err(driver)?;
            let stream = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(stream) = stream else {
                return Ok(());
            };
            stream
        }
    };
    let closed = tokio::spawn(async move {
        let mut nothing = [0; 64];
        let reading = async { while matches!(stream.read(&mut nothing).await, Ok(1..)) {} };
        // Longer than any pooler keeps a request.
        let _ = timeout(KEPT, reading).await;
    });
    // Whoever asked goes on; the connection stays.
    let _ = timeout_at(deadline.into(), closed).await;
    Ok(())
}
