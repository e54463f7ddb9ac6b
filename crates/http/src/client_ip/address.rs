//! The resolved address in a request's extensions.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::Extensions;
use http::request::Parts;

use super::{ClientKey, Ipv6PrefixLength};
use crate::problem::Problem;

/// The address of the client, found by [`ClientAddressLayer`](super::ClientAddressLayer), and an axum
/// extractor.
///
/// It is in the request's extensions only where it differs from the connection's peer; read it with
/// [`of`](Self::of), which knows both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Wraps an address, in canonical form: IPv4-mapped becomes IPv4.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// What limits count this client by.
    pub fn key(self, prefix: Ipv6PrefixLength) -> ClientKey {
        ClientKey::new(self.0, prefix)
    }

    /// The client of the request with these extensions: what the layer found, else the peer of the
    /// connection (axum's `ConnectInfo<SocketAddr>`), else the unspecified address `::`: requests of which
    /// nothing is known are one client, not each a new one.
    pub fn of(extensions: &Extensions) -> Self {
        Self::find(extensions).unwrap_or(Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }

    /// Whether this is the client at that address.
    pub(super) fn is_at(self, address: IpAddr) -> bool {
        self.0 == address || self.0 == address.to_canonical()
    }

    fn find(extensions: &Extensions) -> Option<Self> {
        extensions
            .get()
            .copied()
            .or_else(|| Some(Self::new(connection_peer(extensions)?)))
    }
}

/// The other end of the connection.
pub(super) fn connection_peer(extensions: &Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip())
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::find(&parts.extensions).ok_or_else(|| {
            Problem::internal(
                "ClientAddress was asked for with neither ClientAddressLayer nor ConnectInfo in front",
            )
        })
    }
}
