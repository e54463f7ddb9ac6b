//! Events of HTTP APIs and of function URLs: payload 2.0.

use std::net::IpAddr;

use http::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::Value;

use super::pairs::Pairs;
use super::{Malformed, Parts, StagePrefix, add_host, append, parse, uri};
use crate::body::Body;

/// The stage that has no name in the path.
const NO_STAGE: &str = "$default";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpEvent {
    raw_path: String,
    raw_query_string: Option<String>,
    cookies: Option<Vec<String>>,
    #[serde(default)]
    headers: Pairs<String>,
    request_context: Value,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// The query is as the client wrote it. Cookies are apart; several headers of one name have become one.
pub(super) fn read(payload: &[u8], stage: StagePrefix) -> Result<Request<Body>, Malformed> {
    let event: HttpEvent = parse(payload, "an HTTP API or a function URL")?;
    let context = event.request_context;
    let mut headers = HeaderMap::new();
    for (name, value) in &event.headers.0 {
        append(&mut headers, name, value)?;
    }
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty()) {
        headers.remove(http::header::COOKIE);
        append(&mut headers, "cookie", &cookies.join("; "))?;
    }
    add_host(&mut headers, &context)?;
    let text = |pointer: &str| context.pointer(pointer).and_then(Value::as_str);
    let path = match (stage, text("/stage")) {
        (StagePrefix::Removed, Some(stage)) if stage != NO_STAGE => {
            uri::without_stage(&event.raw_path, stage).to_owned()
        }
        _ => event.raw_path,
    };
    let method = text("/http/method")
        .ok_or_else(|| Malformed("requestContext.http.method is missing".to_owned()))?;
    let parts = Parts {
        method: method.to_owned(),
        path,
        query: event.raw_query_string.unwrap_or_default(),
        headers,
        body: event.body,
        is_base64: event.is_base64_encoded.unwrap_or_default(),
        client: text("/http/sourceIp").and_then(|text| text.parse::<IpAddr>().ok()),
        context,
    };
    parts.into_request()
}
