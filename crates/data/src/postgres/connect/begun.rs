//! A connection that the driver began, and that we go on with.
//!
//! TLS, the start and authentication are the driver's; after that it has nothing to say any more.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio_postgres::{CancelToken, NoTls};
use tokio_util::either::Either;

use super::address::Host;
use super::common::{Common, Keep, Kept};
use super::error::ConnectError;
use super::manager::PostgresManager;
use super::probe::Probe;
use super::socket::{self, Socket};

/// A connection on which the server waits for the first statement.
pub(in crate::postgres) struct Begun {
    pub(in crate::postgres) stream: Common,
    pub(in crate::postgres) host: Host,
    /// For a request to stop what runs on it.
    pub(in crate::postgres) cancel: CancelToken,
    /// A look at its socket.
    pub(in crate::postgres) probe: Option<Probe>,
    /// Whether the server says that the role is a superuser.
    pub(in crate::postgres) is_superuser: bool,
}

impl Begun {
    /// To the first host of the manager's address that takes one.
    pub(in crate::postgres) async fn open(
        manager: &PostgresManager,
        deadline: Instant,
    ) -> Result<Self, ConnectError> {
        let mut last = None;
        for host in manager.address().hosts() {
            match Self::open_at(manager, host, deadline).await {
                Ok(begun) => return Ok(begun),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("an address names a host"))
    }

    async fn open_at(
        manager: &PostgresManager,
        host: &Host,
        deadline: Instant,
    ) -> Result<Self, ConnectError> {
        let unreachable = |error| ConnectError::unreachable(host, error);
        let socket = socket::connect(host, deadline).await.map_err(unreachable)?;
        let probe = Probe::of(&socket);
        let beginning = begin(manager, host, socket, deadline);
        let (stream, cancel, is_superuser) = tokio::time::timeout_at(deadline.into(), beginning)
            .await
            .unwrap_or_else(|_| Err(unreachable(io::ErrorKind::TimedOut.into())))?;
        Ok(Self {
            stream,
            host: host.clone(),
            cancel,
            probe,
            is_superuser,
        })
    }
}

async fn begin(
    manager: &PostgresManager,
    host: &Host,
    socket: Socket,
    deadline: Instant,
) -> Result<(Common, CancelToken, bool), ConnectError> {
    let driver = |error| ConnectError::driver(host, error);
    let config = manager.config(host, deadline).await?;
    let is_on = |value: Option<&str>| value == Some("on");
    match manager.connector::<Socket>(host) {
        None => {
            let stream = Common::new(Either::Left(socket));
            let begun = config.connect_raw(stream.clone(), NoTls).await;
            let (client, connection) = begun.map_err(driver)?;
            let is_superuser = is_on(connection.parameter("is_superuser"));
            Ok((stream, client.cancel_token(), is_superuser))
        }
        Some(connector) => {
            let kept = Kept::default();
            let tls = Keep {
                inner: connector,
                kept: Arc::clone(&kept),
            };
            let begun = config.connect_raw(socket, tls).await;
            let (client, connection) = begun.map_err(driver)?;
            let is_superuser = is_on(connection.parameter("is_superuser"));
            let stream = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            let stream = stream.ok_or_else(|| {
                ConnectError::unreachable(host, io::ErrorKind::NotConnected.into())
            })?;
            Ok((stream, client.cancel_token(), is_superuser))
        }
    }
}
