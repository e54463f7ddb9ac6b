//! Events of Application Load Balancers.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::Value;

use super::pairs::Pairs;
use super::{Malformed, Parts, Shape, append, parse, uri};
use crate::body::Body;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancerEvent {
    http_method: String,
    path: String,
    #[serde(default)]
    headers: Pairs<String>,
    multi_value_headers: Option<Pairs<Vec<String>>>,
    #[serde(default)]
    query_string_parameters: Pairs<String>,
    #[serde(default)]
    multi_value_query_string_parameters: Pairs<Vec<String>>,
    request_context: Value,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// The balancer decodes nothing, so names and values of the query go on as they are. Whether headers are lists is the
/// target group's setting, and its answers must follow it.
pub(super) fn read(payload: &[u8]) -> (Shape, Result<Request<Body>, Malformed>) {
    let event: LoadBalancerEvent = match parse(payload, "an ALB") {
        Ok(event) => event,
        Err(malformed) => return (Shape::LoadBalancer { multi_value: false }, Err(malformed)),
    };
    let shape = Shape::LoadBalancer {
        multi_value: event.multi_value_headers.is_some(),
    };
    (shape, request(event))
}

fn request(event: LoadBalancerEvent) -> Result<Request<Body>, Malformed> {
    let mut headers = HeaderMap::new();
    let lists = event.multi_value_headers.unwrap_or_default();
    for (name, value) in lists.or(event.headers) {
        append(&mut headers, &name, &value)?;
    }
    let query = event
        .multi_value_query_string_parameters
        .or(event.query_string_parameters);
    let parts = Parts {
        method: event.http_method,
        path: event.path,
        query: uri::raw(&query),
        client: client(&headers),
        headers,
        body: event.body,
        is_base64: event.is_base64_encoded.unwrap_or_default(),
        context: event.request_context,
    };
    parts.into_request()
}

/// Who connected to the balancer: the last of `X-Forwarded-For`, which the balancer wrote itself, with a port if it is
/// told to.
fn client(headers: &HeaderMap) -> Option<IpAddr> {
    let mut lines = headers.get_all("x-forwarded-for").iter();
    let last = lines.next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = || last.parse::<SocketAddr>().map(|address| address.ip());
    last.parse().or_else(|_| with_port()).ok()
}
