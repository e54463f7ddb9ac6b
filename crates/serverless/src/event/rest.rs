//! Events of REST APIs: payload 1.0.

use std::net::IpAddr;

use http::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::Value;

use super::pairs::Pairs;
use super::{Malformed, Parts, StagePrefix, add_host, append, parse, uri};
use crate::body::Body;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RestEvent {
    http_method: String,
    path: String,
    #[serde(default)]
    headers: Pairs<String>,
    #[serde(default)]
    multi_value_headers: Pairs<Vec<String>>,
    #[serde(default)]
    query_string_parameters: Pairs<String>,
    #[serde(default)]
    multi_value_query_string_parameters: Pairs<Vec<String>>,
    request_context: Value,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// The gateway has decoded the query; its path has no stage.
pub(super) fn read(payload: &[u8], stage: StagePrefix) -> Result<Request<Body>, Malformed> {
    let event: RestEvent = parse(payload, "a REST API")?;
    let context = event.request_context;
    let mut headers = HeaderMap::new();
    for (name, value) in event.multi_value_headers.or(event.headers) {
        append(&mut headers, &name, &value)?;
    }
    add_host(&mut headers, &context)?;
    let path = match (stage, context.get("stage").and_then(Value::as_str)) {
        (StagePrefix::Kept, Some(stage)) => format!("/{stage}{}", event.path),
        _ => event.path,
    };
    let query = event
        .multi_value_query_string_parameters
        .or(event.query_string_parameters);
    let client = context
        .pointer("/identity/sourceIp")
        .and_then(Value::as_str);
    let parts = Parts {
        method: event.http_method,
        path,
        query: uri::encoded(&query),
        headers,
        body: event.body,
        is_base64: event.is_base64_encoded.unwrap_or_default(),
        client: client.and_then(|text| text.parse::<IpAddr>().ok()),
        context,
    };
    parts.into_request()
}
