//! The policies every request passes, in their one order.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use tower::{Service, ServiceBuilder};

use super::host::HostLayer;
use super::limits::Limits;
use super::observe::ObserveLayer;
use crate::config::{AllowedHosts, Config};

/// Wraps the routes: observe, host allow-list, client address, limits, places to run in, routes.
pub(super) fn wrap(
    routes: Router,
    limits: &Limits,
    config: &Config,
    listening: SocketAddr,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let trusted = TrustedProxies::new(config.server.trusted_proxies.iter().copied());
    ServiceBuilder::new()
        .layer(ObserveLayer::new(config.server.log_requests))
        .layer(HostLayer::new(&hosts(
            &config.server.allowed_hosts,
            listening,
        )))
        .layer(ClientAddressLayer::new(trusted))
        .option_layer(limits.memory())
        .option_layer(limits.shared())
        .service(limits.with_places(routes))
}

/// The names allowed, and the address that is listened on; empty for every host.
fn hosts(allowed: &AllowedHosts, listening: SocketAddr) -> Vec<String> {
    match allowed {
        AllowedHosts::Any => Vec::new(),
        AllowedHosts::Only(names) => {
            let own = match listening {
                SocketAddr::V4(address) => address.ip().to_string(),
                SocketAddr::V6(address) => format!("[{}]", address.ip()),
            };
            names.iter().cloned().chain([own]).collect()
        }
    }
}
