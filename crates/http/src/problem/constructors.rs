//! The usual problems, each with its status, code and headers.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::{Problem, Violation, code};

impl Problem {
    /// 400: the request as a whole cannot be understood.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::BAD_REQUEST).with_detail(detail)
    }

    /// 400: this query parameter has a wrong name or value.
    pub fn invalid_parameter(
        name: impl Into<String>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_PARAMETER)
            .with_detail(detail)
            .with_parameter(name)
    }

    /// 400: this request header has a wrong value.
    pub fn invalid_header(name: &HeaderName, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_request(detail).with_request_header(name)
    }

    /// 400: the body is not well-formed (not JSON at all, say).
    pub fn malformed_body(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::MALFORMED_BODY).with_detail(detail)
    }

    /// 401 with the required `WWW-Authenticate: {challenge}` (RFC 9110, section 11.6.1).
    pub fn unauthorized(challenge: HeaderValue, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED)
            .with_detail(detail)
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// 403: known who asks, and it is not allowed.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code::FORBIDDEN).with_detail(detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND).with_detail(detail)
    }

    /// 405 with `Allow` listing the methods the resource knows (RFC 9110, section 15.5.6).
    #[expect(
        clippy::missing_panics_doc,
        reason = "a method is a token, legal in a header"
    )]
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let list = allowed
            .iter()
            .map(Method::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let detail = if list.is_empty() {
            Cow::Borrowed("This resource allows no method.")
        } else {
            Cow::Owned(format!(
                "Use one of the methods this resource allows: {list}."
            ))
        };
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED)
            .with_detail(detail)
            .with_header(
                header::ALLOW,
                HeaderValue::try_from(list)
                    .expect("methods are tokens, which are legal in a header"),
            )
    }

    /// 406: nothing the client accepts can be made here; `detail` lists what can.
    pub fn not_acceptable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, code::NOT_ACCEPTABLE).with_detail(detail)
    }

    /// 409: the request conflicts with the current state of the resource.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code::CONFLICT).with_detail(detail)
    }

    /// 412: a precondition of the request is false; nothing was changed.
    pub fn precondition_failed() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, code::PRECONDITION_FAILED).with_detail(
            "The resource is not in the state the request's If-Match or If-None-Match asks for. \
             Fetch it again, then repeat the change with its current ETag.",
        )
    }

    /// 413: the body is larger than `limit` bytes.
    pub fn payload_too_large(limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code::PAYLOAD_TOO_LARGE)
            .with_detail(format!("Send a body of at most {limit} bytes."))
            .with_extension("limit", limit)
    }

    /// 415: the body's media type is not `expected` (one media type, or a list for people to read).
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code::UNSUPPORTED_MEDIA_TYPE,
        )
        .with_detail(format!(
            "Send the body as {expected} and say so in Content-Type."
        ))
        .with_request_header(&header::CONTENT_TYPE)
    }

    /// 422: the body is well-formed, and these are all its mistakes.
    pub fn unprocessable(violations: impl IntoIterator<Item = Violation>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code::INVALID_BODY)
            .with_detail("Correct what `errors` lists and send the body again.")
            .with_violations(violations)
    }

    /// 428: this route changes nothing without `If-Match` (RFC 6585, section 3).
    pub fn precondition_required() -> Self {
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            code::PRECONDITION_REQUIRED,
        )
        .with_detail("Fetch the resource and repeat the request with its ETag in If-Match.")
        .with_request_header(&header::IF_MATCH)
    }

    /// 429 with `Retry-After`.
    pub fn too_many_requests(wait: Duration, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMIT_EXCEEDED)
            .with_detail(detail)
            .with_retry_after(wait)
    }

    /// 500. The cause and its chain of sources are logged at ERROR; the answer says nothing about them.
    ///
    /// Takes any error, or a text.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        log_internal(cause.into().as_ref());
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL)
            .with_detail("The server failed to answer. It is not the request's fault; the cause is in the server's log.")
    }

    /// 503 with `Retry-After`: the server cannot do this now (draining, overloaded, deadline passed).
    pub fn unavailable(wait: Duration, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::UNAVAILABLE)
            .with_detail(detail)
            .with_retry_after(wait)
    }
}

fn log_internal(cause: &(dyn Error + 'static)) {
    let mut chain = cause.to_string();
    let mut next = cause.source();
    while let Some(source) = next {
        // Writing to a String cannot fail.
        let _ = write!(chain, ": {source}");
        next = source.source();
    }
    tracing::error!(cause = %chain, "request failed");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(problem: &Problem, status: u16, code: &str) {
        assert_eq!(problem.status(), status, "{code}");
        assert_eq!(problem.code(), code);
        assert!(
            problem.detail().is_some_and(|detail| detail.ends_with('.')),
            "{code}"
        );
    }

    #[test]
    fn each_usual_problem_has_its_status_code_and_a_sentence() {
        let second = Duration::from_secs(1);
        check(&Problem::bad_request("Do."), 400, "bad-request");
        check(
            &Problem::invalid_parameter("page", "Do."),
            400,
            "invalid-parameter",
        );
        check(
            &Problem::invalid_header(&header::RANGE, "Do."),
            400,
            "bad-request",
        );
        check(&Problem::malformed_body("Do."), 400, "malformed-body");
        check(
            &Problem::unauthorized(HeaderValue::from_static("Bearer"), "Do."),
            401,
            "unauthorized",
        );
        check(&Problem::forbidden("Do."), 403, "forbidden");
        check(&Problem::not_found("Do."), 404, "not-found");
        check(&Problem::method_not_allowed(&[]), 405, "method-not-allowed");
        check(&Problem::not_acceptable("Do."), 406, "not-acceptable");
        check(&Problem::conflict("Do."), 409, "conflict");
        check(&Problem::precondition_failed(), 412, "precondition-failed");
        check(&Problem::payload_too_large(5), 413, "payload-too-large");
        check(
            &Problem::unsupported_media_type("application/json"),
            415,
            "unsupported-media-type",
        );
        check(&Problem::unprocessable([]), 422, "invalid-body");
        check(
            &Problem::precondition_required(),
            428,
            "precondition-required",
        );
        check(
            &Problem::too_many_requests(second, "Do."),
            429,
            "rate-limit-exceeded",
        );
        check(&Problem::internal("secret"), 500, "internal-error");
        check(&Problem::unavailable(second, "Do."), 503, "unavailable");
    }

    #[test]
    fn headers_the_status_requires_are_there() {
        let allow = Problem::method_not_allowed(&[Method::GET, Method::HEAD]);
        assert_eq!(allow.headers()["allow"], "GET, HEAD");
        let login = Problem::unauthorized(HeaderValue::from_static("Bearer"), "Log in.");
        assert_eq!(login.headers()["www-authenticate"], "Bearer");
        let busy = Problem::unavailable(Duration::from_millis(1), "Wait.");
        assert_eq!(busy.headers()["retry-after"], "1");
    }

    #[test]
    fn an_internal_problem_says_nothing_of_its_cause() {
        let cause = std::io::Error::other("password=hunter2");
        let problem = Problem::internal(cause);
        let text = format!(
            "{problem} {problem:?} {}",
            String::from_utf8(problem.to_json()).unwrap()
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
}
