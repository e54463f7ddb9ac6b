//! Whose quota a request takes from, over the layer.

use super::*;
use crate::client_ip::{ClientAddressLayer, Ipv6PrefixLength, TrustedProxies};
use axum::extract::ConnectInfo;
use std::net::SocketAddr;

async fn statuses(
    layer: &RateLimitLayer,
    requests: impl IntoIterator<Item = Request<()>>,
) -> Vec<u16> {
    let mut service = ClientAddressLayer::new(TrustedProxies::parse(["10.0.0.0/8"]).unwrap())
        .layer(layer.layer(service_fn(async |_: Request<()>| {
            Ok::<_, Infallible>(Response::new(Body::empty()))
        })));
    let mut found = Vec::new();
    for request in requests {
        found.push(service.call(request).await.unwrap().status().as_u16());
    }
    found
}

fn from(peer: &str, forwarded_for: Option<&str>) -> Request<()> {
    let mut request = Request::get("/").body(()).unwrap();
    let peer = SocketAddr::new(peer.parse().unwrap(), 4_000);
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(list) = forwarded_for {
        let value = list.parse().unwrap();
        request.headers_mut().insert("x-forwarded-for", value);
    }
    request
}

/// Trap 20 of the limits: one client, however its address is written and whatever it claims.
#[tokio::test]
async fn trap_20_one_client_has_one_quota() {
    let layer = || RateLimitLayer::new([policy("api", 1, HOUR)]);
    let same = [
        from("192.0.2.1", None),
        from("::ffff:192.0.2.1", None),
        from("192.0.2.1", Some("6.6.6.6")),
        from("10.0.0.1", Some("7.7.7.7, 192.0.2.1")),
        from("10.0.0.1", Some("::ffff:c000:201")),
    ];
    assert_eq!(statuses(&layer(), same).await, [200, 429, 429, 429, 429]);
    let networks = [
        from("2001:db8::1", None),
        from("2001:db8:0:ff::2", None),
        from("2001:db8:0:100::1", None),
        from("2001:db8::192.0.2.1", None),
    ];
    assert_eq!(statuses(&layer(), networks).await, [200, 429, 200, 429]);
    let narrow = layer().with_ipv6_prefix(Ipv6PrefixLength::new(64).unwrap());
    let networks = [from("2001:db8::1", None), from("2001:db8:0:1::1", None)];
    assert_eq!(statuses(&narrow, networks).await, [200, 200]);
}

#[tokio::test]
async fn who_leaves_the_header_out_is_counted_by_address() {
    let key = RequestKey::header(http::HeaderName::from_static("x-api-key"));
    let layer = RateLimitLayer::new([policy("api", 1, HOUR)]).with_key(key);
    let with = |peer: &str, value: &str| {
        let mut request = from(peer, None);
        let value = value.parse().unwrap();
        request.headers_mut().insert("x-api-key", value);
        request
    };
    let requests = [
        with("192.0.2.1", "a"),
        with("192.0.2.2", "a"),
        with("192.0.2.1", "b"),
        from("192.0.2.1", None),
        from("192.0.2.1", None),
    ];
    assert_eq!(statuses(&layer, requests).await, [200, 429, 200, 200, 429]);
}

#[tokio::test]
async fn mistakes_in_the_set_up_are_told_by_the_layer() {
    let layer = RateLimitLayer::new([policy("api", 9, HOUR), policy("api", 5, HOUR * 30)])
        .with_ipv6_prefix(Ipv6PrefixLength::new(128).unwrap());
    let twice = layer.layer(layer.layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    })));
    let mut request = Request::new(());
    let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
    request.extensions_mut().insert(ConnectInfo(peer));
    request
        .headers_mut()
        .insert("x-forwarded-for", "6.6.6.6".parse().unwrap());
    twice.oneshot(request).await.unwrap();
    let told = layer.warnings();
    let mut codes: Vec<&str> = told.iter().map(lint::Warning::code).collect();
    codes.sort_unstable();
    let expected = [
        "counted-twice",
        "ipv6-addresses",
        "outlives-memory",
        "same-name",
        "untrusted-forwarding",
    ];
    assert_eq!(codes, expected);
}
