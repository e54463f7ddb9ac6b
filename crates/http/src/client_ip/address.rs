//! The resolved address in a request's extensions.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;

use super::{ClientKey, Ipv6PrefixLength};
use crate::problem::Problem;

/// The address of the client, put into the request's extensions by
/// [`ClientAddressLayer`](super::ClientAddressLayer), and an axum extractor.
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

    /// The address in these extensions. Without one, the unspecified address `::`: requests of which
    /// nothing is known are one client, not each a new one.
    pub fn of(extensions: &Extensions) -> Self {
        extensions
            .get()
            .copied()
            .unwrap_or(Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| {
            Problem::internal("ClientAddress was asked for without ClientAddressLayer in front")
        })
    }
}
