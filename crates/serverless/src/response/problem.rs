//! Problem documents (RFC 9457) for what goes wrong around the service.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

/// The most that a whole answer may be, encoded: 6 MiB.
pub(crate) const LIMIT: usize = 6 * 1024 * 1024;

/// When to try again after a request that ran out of time.
const AGAIN: Duration = Duration::from_secs(1);

/// The event is no proper request.
pub(crate) fn malformed(error: &crate::event::Malformed) -> Response<Bytes> {
    problem(
        StatusCode::BAD_REQUEST,
        "malformed-request",
        &error.to_string(),
    )
}

/// The platform is about to end the invocation.
pub(crate) fn out_of_time() -> Response<Bytes> {
    let detail = "The function's time is almost over, so the request was given up. Try again, or ask for less at once; \
                  who runs the function can raise its timeout, up to that of the gateway before it.";
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "deadline-exceeded", detail);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(AGAIN.as_secs()));
    response
}

/// The service failed or panicked.
pub(crate) fn failed() -> Response<Bytes> {
    let detail = "The service failed on this request. The reason is in the function's log.";
    problem(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", detail)
}

/// The answer is more than a whole answer may be.
pub(crate) fn too_large(is_binary: bool) -> Response<Bytes> {
    let binary = if is_binary {
        " Compressed and binary bodies count a third more there, because they are sent as base64."
    } else {
        ""
    };
    let detail = format!(
        "The answer is larger than the {LIMIT} bytes that AWS Lambda takes as a whole.{binary} Ask for fewer rows or \
         fields, or a page at a time. Who runs the function can have answers streamed, which has no such limit: a function \
         URL with InvokeMode RESPONSE_STREAM, and {}=true.",
        crate::place::STREAMING
    );
    problem(StatusCode::PAYLOAD_TOO_LARGE, "response-too-large", &detail)
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Bytes> {
    let document = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}
