//! A problem as an HTTP response.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::Problem;

/// `wait` as a `Retry-After` value (RFC 9110, section 10.2.3): whole seconds, rounded up, at least 1.
pub fn retry_after(wait: Duration) -> HeaderValue {
    let whole = wait
        .as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0));
    HeaderValue::from(whole.max(1))
}

impl Problem {
    /// The response with its body in one piece.
    ///
    /// `Cache-Control: no-store` unless the problem brought a `Cache-Control` of its own: an error is about
    /// one request at one moment, and 404 and 405 would otherwise be stored by caches (RFC 9110, 15.1).
    pub fn into_http_response(self) -> http::Response<Bytes> {
        let body = self.to_json();
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(super::CONTENT_TYPE));
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        self.into_http_response().map(axum::body::Body::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_and_at_least_one() {
        let check =
            |wait: Duration, expected: &str| assert_eq!(retry_after(wait), expected, "{wait:?}");
        check(Duration::ZERO, "1");
        check(Duration::from_nanos(1), "1");
        check(Duration::from_secs(1), "1");
        check(Duration::from_millis(1_001), "2");
        check(Duration::MAX, "18446744073709551615");
    }

    #[test]
    fn an_answer_is_not_stored_unless_it_says_otherwise() {
        let plain = Problem::not_found("No such user.").into_http_response();
        assert_eq!(plain.headers()["cache-control"], "no-store");
        assert_eq!(plain.headers()["content-type"], "application/problem+json");
        let kept = Problem::not_found("No such user.")
            .with_header(CACHE_CONTROL, HeaderValue::from_static("max-age=5"))
            .into_http_response();
        assert_eq!(kept.headers()["cache-control"], "max-age=5");
    }
}
