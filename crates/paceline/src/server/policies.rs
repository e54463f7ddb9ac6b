//! The policies every request passes, in their one order.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::rate_limit::{PathPrefix, Policy, Quota, RateLimitLayer};
use tower::{Service, ServiceBuilder};

use super::host::HostLayer;
use super::observe::ObserveLayer;
use crate::config::{AllowedHosts, Config, Limit};

/// Wraps the routes: observe, host allow-list, client address, limits, routes.
pub(super) fn wrap(
    routes: Router,
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
        .option_layer(limits(config))
        .service(routes)
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

/// The limits of the configuration, and that of the mail route; none when there are none.
fn limits(config: &Config) -> Option<RateLimitLayer> {
    let mails = config.email.as_ref().map(|email| Limit {
        name: "mails".to_owned(),
        path: email.path.clone(),
        max: email.max_per_window,
        window: email.window,
        skip_successful: false,
        message: Some(
            "Too many mails from this address. Wait as long as Retry-After says.".to_owned(),
        ),
    });
    let policies: Vec<Policy> = config.limits.iter().chain(&mails).map(policy).collect();
    if policies.is_empty() {
        None
    } else {
        Some(RateLimitLayer::new(policies))
    }
}

fn policy(limit: &Limit) -> Policy {
    let quota =
        Quota::new(limit.max, limit.window).expect("the configuration takes whole seconds only");
    let path = PathPrefix::new(&limit.path).expect("the configuration takes absolute paths only");
    let policy = Policy::new(&limit.name, quota)
        .expect("the configuration takes names for headers only")
        .with_path(path)
        .with_skip_successful(limit.skip_successful);
    match &limit.message {
        Some(message) => policy.with_message(message.clone()),
        None => policy,
    }
}
