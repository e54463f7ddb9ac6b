//! Opens connections: the name is resolved once for each, every address is judged, and the connection goes
//! to an address that was judged. A name that resolves otherwise a moment later changes nothing.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower::Service;

use super::link::Link;
use super::reach::Reach;

/// How long one connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The machine has no root certificates to check the target's by.
#[derive(Debug, thiserror::Error)]
#[error(
    "no root certificates were found to check https targets by: install the package ca-certificates, or name a file in SSL_CERT_FILE"
)]
pub(crate) struct NoRoots;

/// No connection to the target.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the target's name {0} cannot be resolved")]
    Resolve(String, #[source] io::Error),
    #[error(
        "{0} is not an address of the public internet: deliveries there have to be allowed (--allow-private, allow_private = true)"
    )]
    Private(std::net::IpAddr),
    #[error("the target's name {0} has no address")]
    NoAddress(String),
    #[error("cannot connect to {0}")]
    Connect(SocketAddr, #[source] io::Error),
    #[error("no secure connection to {0}")]
    Tls(String, #[source] io::Error),
    #[error("no connection to {0} within {CONNECT_TIMEOUT:?}")]
    Slow(String),
}

/// Opens connections to the target.
#[derive(Clone)]
pub(super) struct Connector {
    reach: Reach,
    tls: Option<TlsConnector>,
}

impl Connector {
    /// For one target; `https` needs root certificates.
    pub(super) fn new(target: &Uri, reach: Reach) -> Result<Self, NoRoots> {
        let tls = if target.scheme() == Some(&Scheme::HTTPS) {
            Some(TlsConnector::from(Arc::new(tls_settings()?)))
        } else {
            None
        };
        Ok(Self { reach, tls })
    }

    async fn open(self, target: Uri) -> Result<Link, ConnectError> {
        let host = target.host().unwrap_or_default();
        let host = host.trim_matches(['[', ']']).to_owned();
        let secure = target.scheme() == Some(&Scheme::HTTPS);
        let port = target.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = connect(self.reach, &host, port).await?;
        // Small requests are not held back for more; where it cannot be set they are.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.filter(|_| secure) else {
            return Ok(Link::new(stream));
        };
        let failed = |error| ConnectError::Tls(host.clone(), error);
        let name = ServerName::try_from(host.clone())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let stream = tls.connect(name, stream).await.map_err(failed)?;
        Ok(Link::new(stream))
    }
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Link, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let host = target.host().unwrap_or_default().to_owned();
            tokio::time::timeout(CONNECT_TIMEOUT, connector.open(target))
                .await
                .unwrap_or(Err(ConnectError::Slow(host)))
        })
    }
}

async fn connect(reach: Reach, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let resolved = tokio::net::lookup_host((host, port)).await;
    let resolved = resolved.map_err(|error| ConnectError::Resolve(host.to_owned(), error))?;
    let mut failure = ConnectError::NoAddress(host.to_owned());
    for address in resolved {
        if !reach.allows(address.ip()) {
            failure = ConnectError::Private(address.ip());
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = ConnectError::Connect(address, error),
        }
    }
    Err(failure)
}

fn tls_settings() -> Result<ClientConfig, NoRoots> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(NoRoots);
    }
    let settings = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions");
    Ok(settings.with_root_certificates(roots).with_no_client_auth())
}
