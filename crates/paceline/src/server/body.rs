//! Request bodies: JSON objects of a bounded size, read within a bounded time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use paceline_http::problem::{Problem, Violation};
use serde_json::{Map, Value};

/// A body over the limit is read on and thrown away up to this much, so that a client that is still
/// sending gets to read the 413 instead of a reset connection.
const DISCARD: usize = 16 * 1024 * 1024;

/// What a body may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long it may be.
    pub(super) bytes: usize,
    /// How long a client may take to send it.
    pub(super) time: Duration,
}

/// Reads a whole JSON body: 415 for another media type, 413 for one that is too long, 408 when it takes too long.
pub(super) async fn read_json(
    headers: &HeaderMap,
    body: Body,
    bounds: Bounds,
) -> Result<Bytes, Problem> {
    if !is_json(headers) {
        return Err(Problem::unsupported_media_type("application/json"));
    }
    read(body, bounds).await
}

/// Reads a whole body of any media type: 413 for one that is too long, 408 when it takes too long.
pub(super) async fn read(body: Body, bounds: Bounds) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(bounds.time, read_bounded(body, bounds.bytes)).await;
    read.unwrap_or_else(|_| Err(too_slow(bounds.time)))
}

/// Reads a JSON body that must be one object.
pub(super) async fn read_object(
    headers: &HeaderMap,
    body: Body,
    bounds: Bounds,
) -> Result<Map<String, Value>, Problem> {
    let bytes = read_json(headers, body, bounds).await?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::unprocessable([Violation::at_pointer(
            "",
            "not-an-object",
            "The body must be a JSON object.",
        )])),
        Err(error) => Err(Problem::malformed_body(format!(
            "The body is not JSON: line {}, column {}. Send one JSON object.",
            error.line(),
            error.column()
        ))),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    kind == "application" && (subtype == "json" || subtype.ends_with("+json"))
}

async fn read_bounded(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Problem::bad_request(
                "The body broke off before its end. Send the request again.",
            ));
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if read.len() + data.len() > limit {
            discard(body).await;
            return Err(Problem::payload_too_large(limit as u64));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

async fn discard(mut body: Body) {
    let mut thrown = 0;
    while let Some(Ok(frame)) = body.frame().await {
        thrown += frame.data_ref().map_or(0, Bytes::len);
        if thrown > DISCARD {
            return;
        }
    }
}

fn too_slow(time: Duration) -> Problem {
    Problem::new(http::StatusCode::REQUEST_TIMEOUT, "body-timeout").with_detail(format!(
        "The body did not arrive within {time:?}. Send the request again."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    async fn check(content_type: &'static str, body: &'static str, expected: Result<(), u16>) {
        let bounds = Bounds {
            bytes: 16,
            time: Duration::from_secs(1),
        };
        let read = read_object(&headers(content_type), Body::from(body), bounds).await;
        assert_eq!(
            read.map(|_| ())
                .map_err(|problem| problem.status().as_u16()),
            expected,
            "{body}"
        );
    }

    #[tokio::test]
    async fn each_kind_of_bad_body_has_its_status() {
        check("application/json", "{}", Ok(())).await;
        check("application/JSON; charset=utf-8", "{}", Ok(())).await;
        check("application/merge-patch+json", "{}", Ok(())).await;
        check("text/plain", "{}", Err(415)).await;
        check("application/jsonish", "{}", Err(415)).await;
        check("application/json", "{", Err(400)).await;
        check("application/json", "[]", Err(422)).await;
        check("application/json", r#"{"a":"0123456789"}"#, Err(413)).await;
    }
}
