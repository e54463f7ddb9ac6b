//! The service of [`ConditionalLayer`](super::ConditionalLayer).

use std::task::{Context, Poll};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::before::TagIsKnown;
use super::body::ConditionalBody;
use super::future::ConditionalFuture;

/// A service whose `GET` and `HEAD` answers are tagged by their bytes; see
/// [`ConditionalLayer`](super::ConditionalLayer).
#[derive(Debug, Clone)]
pub struct Conditional<S> {
    inner: S,
    max_body: usize,
}

/// The part of a reading request that is needed once the answer is there.
#[derive(Debug)]
pub(super) struct ReadingRequest {
    pub(super) is_head: bool,
    /// Most requests have none, and every layer further out moves this along.
    pub(super) preconditions: Option<Box<HeaderMap>>,
    pub(super) max_body: usize,
}

impl<S> Conditional<S> {
    pub(super) fn new(inner: S, max_body: usize) -> Self {
        Self { inner, max_body }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for Conditional<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: Body,
{
    type Response = Response<ConditionalBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ConditionalFuture<S::Future, ResponseBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_known = request.extensions().get::<TagIsKnown>().is_some();
        let reading = (is_read && !is_known).then(|| ReadingRequest {
            is_head: request.method() == Method::HEAD,
            preconditions: reading_preconditions(request.headers()),
            max_body: self.max_body,
        });
        ConditionalFuture::new(self.inner.call(request), reading)
    }
}

/// The four that a reading request can be judged by after it ran, because it changed nothing.
fn reading_preconditions(headers: &HeaderMap) -> Option<Box<HeaderMap>> {
    let mut kept = None;
    for name in [
        IF_MATCH,
        IF_UNMODIFIED_SINCE,
        IF_NONE_MATCH,
        IF_MODIFIED_SINCE,
    ] {
        for value in headers.get_all(&name) {
            kept.get_or_insert_with(Box::<HeaderMap>::default)
                .append(&name, value.clone());
        }
    }
    kept
}
