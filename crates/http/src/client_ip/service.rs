//! The service of [`ClientAddressLayer`](super::ClientAddressLayer).

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use super::address::connection_peer;
use super::{ClientAddress, TrustedProxies, resolve};

/// Adds the client's address to requests whose peer is not the client, then passes them on.
#[derive(Debug, Clone)]
pub struct ClientAddressService<S> {
    inner: S,
    trusted: Arc<TrustedProxies>,
    unknown_peer: IpAddr,
}

impl<S> ClientAddressService<S> {
    pub(super) fn new(inner: S, trusted: Arc<TrustedProxies>, unknown_peer: IpAddr) -> Self {
        Self {
            inner,
            trusted,
            unknown_peer,
        }
    }
}

impl<S, B> Service<Request<B>> for ClientAddressService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let extensions = request.extensions();
        let known = connection_peer(extensions);
        let peer = known.unwrap_or(self.unknown_peer);
        let client = ClientAddress::new(resolve(peer, request.headers(), &self.trusted));
        // What is there already, or follows from the connection, is found without us.
        let is_found = match extensions.get::<ClientAddress>() {
            Some(found) => *found == client,
            None => known.is_some() && client.is_at(peer),
        };
        if !is_found {
            request.extensions_mut().insert(client);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClientAddressLayer;
    use super::*;
    use axum::extract::ConnectInfo;
    use std::convert::Infallible;
    use std::net::SocketAddr;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    async fn check(peer: Option<&str>, unknown_peer: Option<&str>, expected: &str) {
        let trusted = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
        let mut layer = ClientAddressLayer::new(trusted);
        if let Some(address) = unknown_peer {
            layer = layer.with_unknown_peer(address.parse().unwrap());
        }
        let service =
            ServiceBuilder::new()
                .layer(layer)
                .service(service_fn(async |request: Request<()>| {
                    Ok::<_, Infallible>(ClientAddress::of(request.extensions()).ip())
                }));
        let mut request = Request::new(());
        request
            .headers_mut()
            .insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        if let Some(peer) = peer {
            request
                .extensions_mut()
                .insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        }
        let found = service.oneshot(request).await.unwrap();
        assert_eq!(
            found,
            expected.parse::<IpAddr>().unwrap(),
            "{peer:?} {unknown_peer:?}"
        );
    }

    #[tokio::test]
    async fn the_peer_of_the_connection_decides_whether_the_header_counts() {
        check(Some("192.0.2.1:5000"), None, "192.0.2.1").await;
        check(Some("10.0.0.1:5000"), None, "203.0.113.9").await;
        check(Some("[::ffff:10.0.0.1]:5000"), None, "203.0.113.9").await;
    }

    #[tokio::test]
    async fn trap_20_a_unix_peer_has_an_address_too() {
        check(None, None, "::").await;
        check(None, Some("10.0.0.1"), "203.0.113.9").await;
    }
}
