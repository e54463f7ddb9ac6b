//! The Host allow-list: a page on another site whose name was rebound to this address gets nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::IntoResponse;
use http::header::HOST;
use http::{Request, Response};
use paceline_http::problem::Problem;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// Answers 421 unless the request's host is one of these names (compared without port and case).
#[derive(Debug, Clone)]
pub(super) struct HostLayer {
    allowed: Arc<[String]>,
}

impl HostLayer {
    /// `allowed` empty lets every host pass.
    pub(super) fn new(allowed: &[String]) -> Self {
        Self {
            allowed: allowed
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect(),
        }
    }
}

impl<S> Layer<S> for HostLayer {
    type Service = HostCheck<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HostCheck {
            inner,
            allowed: Arc::clone(&self.allowed),
        }
    }
}

/// See [`HostLayer`].
#[derive(Debug, Clone)]
pub(super) struct HostCheck<S> {
    inner: S,
    allowed: Arc<[String]>,
}

impl<S, B> Service<Request<B>> for HostCheck<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = HostFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.allowed.is_empty() || is_allowed(host_of(&request), &self.allowed) {
            HostFuture::Passed {
                inner: self.inner.call(request),
            }
        } else {
            HostFuture::Refused
        }
    }
}

pin_project! {
    /// The inner answer, or the refusal.
    #[project = Projected]
    pub(super) enum HostFuture<F> {
        /// The host is allowed.
        Passed {
            #[pin]
            inner: F,
        },
        /// It is not.
        Refused,
    }
}

impl<F, E> Future for HostFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projected::Passed { inner } => inner.poll(cx),
            Projected::Refused => Poll::Ready(Ok(refused().into_response())),
        }
    }
}

/// HTTP/2 names the host in the target, HTTP/1.1 in the header.
fn host_of<B>(request: &Request<B>) -> Option<&str> {
    request.uri().host().or_else(|| {
        let mut values = request.headers().get_all(HOST).into_iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then(|| without_port(first))
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_allowed(host: Option<&str>, allowed: &[String]) -> bool {
    host.is_some_and(|host| allowed.iter().any(|name| name.eq_ignore_ascii_case(host)))
}

fn refused() -> Problem {
    Problem::new(http::StatusCode::MISDIRECTED_REQUEST, "host-not-allowed")
        .with_detail("This server does not answer for the host of the request. Add the name to server.allowed_hosts if it should.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_without_port_and_case() {
        let allowed: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(String::from).into();
        for (host, expected) in [
            ("localhost:8080", true),
            ("LOCALHOST", true),
            ("127.0.0.1:1", true),
            ("[::1]:8080", true),
            ("[::1]", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("", false),
        ] {
            let request = Request::builder().header(HOST, host).body(()).unwrap();
            assert_eq!(is_allowed(host_of(&request), &allowed), expected, "{host}");
        }
    }

    #[test]
    fn no_host_and_two_hosts_are_refused() {
        let none = Request::builder().body(()).unwrap();
        assert!(host_of(&none).is_none());
        let two = Request::builder()
            .header(HOST, "localhost")
            .header(HOST, "evil")
            .body(())
            .unwrap();
        assert!(host_of(&two).is_none());
    }
}
