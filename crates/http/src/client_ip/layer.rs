//! The layer that finds out whose request it is.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tower_layer::Layer;

use super::{ClientAddressService, TrustedProxies};

/// Finds the [`ClientAddress`](super::ClientAddress) of every request.
///
/// It goes into the request's extensions only where it is not the peer's: most requests are spared the
/// allocation.
///
/// The peer is axum's `ConnectInfo<SocketAddr>` extension: serve with
/// `into_make_service_with_connect_info::<SocketAddr>()`, or insert it where connections are accepted.
#[derive(Debug, Clone)]
pub struct ClientAddressLayer {
    trusted: Arc<TrustedProxies>,
    unknown_peer: IpAddr,
}

impl ClientAddressLayer {
    /// Believes these proxies.
    pub fn new(trusted: TrustedProxies) -> Self {
        Self {
            trusted: Arc::new(trusted),
            unknown_peer: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    /// The peer to assume where the connection has no address (a Unix socket). Default: `::`, which is no
    /// trusted proxy unless listed, so all such requests are one client. Give a trusted address when a
    /// local proxy connects through the socket.
    #[must_use]
    pub fn with_unknown_peer(mut self, address: IpAddr) -> Self {
        self.unknown_peer = address;
        self
    }
}

impl<S> Layer<S> for ClientAddressLayer {
    type Service = ClientAddressService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientAddressService::new(inner, Arc::clone(&self.trusted), self.unknown_peer)
    }
}
