//! A connection to the server.

use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;

use super::error::HttpError;
use super::origin::Origin;
use crate::postgres::connect::{Encryption, TlsSetUpError, client_config, tcp};

/// What a request is sent on. The connection ends when it is dropped.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// TLS that trusts the authorities of this PEM file, or those the system knows.
///
/// # Errors
/// When there are none.
///
/// # Panics
/// Never: settings that verify are settings.
pub fn tls_settings(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsSetUpError> {
    let wanted = Encryption::Verified(ca_file.map(Path::to_owned));
    let settings = client_config(&wanted)?;
    let mut settings = settings.expect("it is to be encrypted");
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(settings))
}

/// Opens a connection before `deadline`.
pub(super) async fn open(
    origin: &Origin,
    tls: Option<&Arc<ClientConfig>>,
    deadline: Instant,
) -> Result<Sender, HttpError> {
    let server = origin.to_string();
    let late = |_| HttpError::late(&server, false);
    let socket = tcp(&origin.host, origin.port, deadline)
        .await
        .map_err(|error| HttpError::connect(&server, error))?;
    let Some(tls) = tls.filter(|_| origin.secure) else {
        return begin(socket, &server, deadline).await;
    };
    let name = ServerName::try_from(origin.host.clone()).map_err(|error| {
        HttpError::tls(
            &server,
            std::io::Error::new(std::io::ErrorKind::InvalidInput, error),
        )
    })?;
    let connecting = TlsConnector::from(Arc::clone(tls)).connect(name, socket);
    let stream = timeout_at(deadline.into(), connecting)
        .await
        .map_err(late)?
        .map_err(|error| HttpError::tls(&server, error))?;
    begin(stream, &server, deadline).await
}

async fn begin<S>(stream: S, server: &str, deadline: Instant) -> Result<Sender, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| HttpError::unsent(server, error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a vendor's endpoint ended");
        }
    });
    timeout_at(
        deadline.into(),
        poll_fn(|context| sender.poll_ready(context)),
    )
    .await
    .map_err(|_| HttpError::late(server, false))?
    .map_err(|error| HttpError::unsent(server, error))?;
    Ok(sender)
}
