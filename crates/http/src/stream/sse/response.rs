//! The stream as an HTTP answer.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::SseBody;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks nginx, and proxies that follow it, to pass each event on as it comes.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The id of the last event a returning client saw. `None` for a new one; bytes that are no text come back
/// as text that is no id, and lead to a reset.
pub fn last_event_id(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(LAST_EVENT_ID)?;
    (!value.is_empty()).then(|| String::from_utf8_lossy(value.as_bytes()))
}

/// A 200 with this stream of events.
pub(super) fn event_stream<B>(body: B) -> http::Response<B> {
    let mut response = http::Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

impl SseBody {
    /// The 200 answer: `text/event-stream`, not to be stored, not to be held back by a proxy. It may be
    /// compressed: `no-transform` is not set.
    pub fn into_http_response(self) -> http::Response<Self> {
        event_stream(self)
    }
}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for SseBody {
    fn into_response(self) -> axum::response::Response {
        self.into_http_response().map(axum::body::Body::new)
    }
}
