//! What an invocation is: an HTTP request in one of three shapes, a warm-up, or something else. Decided by the top level
//! of the event only, before any body is looked at.

mod http_api;
mod load_balancer;
mod pairs;
mod rest;
mod shape;
mod uri;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::body::Body;
use crate::invocation::{ClientAddress, RequestContext};
use crate::warm_up::{Matching, Recognised};

pub(crate) use self::shape::Shape;

/// Whether a stage stands before the path that the service sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StagePrefix {
    /// It does not: routes are the same on a server, at a function URL and behind every stage. HTTP APIs put their
    /// stage into the path, and it is taken off; REST APIs do not.
    #[default]
    Removed,
    /// It does, in both kinds of API: `/prod/users`.
    Kept,
}

/// An invocation.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request, or what is wrong with it, and the shape its answer must have.
    Http(Shape, Result<Box<Request<Body>>, Malformed>),
    /// A warm-up.
    WarmUp(Recognised),
    /// Something else, such as a schedule: the event as it is.
    Other(Value),
}

/// An invocation that is no event this can tell apart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownEvent {
    /// It is not JSON.
    #[error("the event is not JSON")]
    Json(#[source] serde_json::Error),
    /// It is of a kind that is known and not served.
    #[error(
        "the event is of {0}, which is not served: use a REST API, an HTTP API, a function URL or an ALB"
    )]
    NotServed(&'static str),
}

/// What is wrong with a request.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(String);

/// The parts of the top level that tell events apart. What else is there, bodies too, is skipped unread.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Head {
    request_context: Option<Value>,
    http_method: Option<Value>,
}

/// Reads an invocation's payload.
///
/// # Errors
/// [`UnknownEvent`] when it is not JSON or of a kind that is not served.
pub(crate) fn read(
    payload: &[u8],
    matching: &Matching,
    stage: StagePrefix,
) -> Result<Event, UnknownEvent> {
    let head: Head = match payload.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice(payload).map_err(UnknownEvent::Json)?,
        _ => Head::default(),
    };
    let context = head.request_context.as_ref();
    let has = |key: &str| context.is_some_and(|context| context.get(key).is_some());
    let is_rest = matches!(head.http_method, Some(Value::String(_)));
    if has("elb") {
        let (shape, request) = load_balancer::read(payload);
        return Ok(Event::Http(shape, request.map(Box::new)));
    }
    if has("http") {
        let request = http_api::read(payload, stage);
        return Ok(Event::Http(Shape::Http, request.map(Box::new)));
    }
    if is_rest && context.is_some() {
        let request = rest::read(payload, stage);
        return Ok(Event::Http(Shape::Rest, request.map(Box::new)));
    }
    if has("connectionId") {
        return Err(UnknownEvent::NotServed("a WebSocket API"));
    }
    if has("serviceNetworkArn") {
        return Err(UnknownEvent::NotServed("VPC Lattice"));
    }
    let event: Value = serde_json::from_slice(payload).map_err(UnknownEvent::Json)?;
    Ok(match matching.recognise(&event) {
        Some(recognised) => Event::WarmUp(recognised),
        None => Event::Other(event),
    })
}

/// What every shape says of a request in its own way.
struct Parts {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Option<String>,
    is_base64: bool,
    context: Value,
    client: Option<std::net::IpAddr>,
}

impl Parts {
    fn into_request(self) -> Result<Request<Body>, Malformed> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| Malformed(format!("{:?} is no HTTP method", self.method)))?;
        let target = uri::target(&self.path, &self.query)?;
        let body = body(self.body, self.is_base64)?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        *request.headers_mut() = self.headers;
        if let Some(client) = self.client {
            request.extensions_mut().insert(ClientAddress(client));
        }
        request
            .extensions_mut()
            .insert(RequestContext::new(self.context));
        Ok(request)
    }
}

fn body(text: Option<String>, is_base64: bool) -> Result<Bytes, Malformed> {
    use base64::Engine as _;
    let text = text.unwrap_or_default();
    if !is_base64 {
        return Ok(text.into());
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(text.trim());
    let decoded = decoded
        .map_err(|error| Malformed(format!("the body is said to be base64 and is not: {error}")))?;
    Ok(decoded.into())
}

/// Adds a header; a name may come more than once.
fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Malformed> {
    let key = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Malformed(format!("{name:?} is no name of a header")))?;
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| Malformed(format!("the header {key} holds what no header may hold")))?;
    headers.append(key, value);
    Ok(())
}

/// The host, where the event has none among its headers.
fn add_host(headers: &mut HeaderMap, context: &Value) -> Result<(), Malformed> {
    match context.get("domainName").and_then(Value::as_str) {
        Some(domain) if !headers.contains_key(http::header::HOST) => {
            append(headers, "host", domain)
        }
        _ => Ok(()),
    }
}

/// An event that has the marks of its shape and not the rest.
fn parse<'a, T: Deserialize<'a>>(payload: &'a [u8], shape: &str) -> Result<T, Malformed> {
    serde_json::from_slice(payload).map_err(|error| {
        Malformed(format!(
            "the event looks like one of {shape} and is not: {error}"
        ))
    })
}

#[cfg(test)]
mod tests;
