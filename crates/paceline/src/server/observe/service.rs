//! The observing service.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderValue, Method, Request, Response};
use paceline_http::request_id::RequestIds;
use tower::Service;

use super::future::ObserveFuture;
use super::layer::Shared;
use super::route::Route;

/// See [`ObserveLayer`](super::ObserveLayer).
#[derive(Clone)]
pub(in crate::server) struct Observe<S> {
    pub(super) inner: S,
    pub(super) shared: Arc<Shared>,
    pub(super) ids: RequestIds,
}

/// What is remembered of a request until its answer's head is there.
pub(super) struct Seen {
    pub(super) shared: Arc<Shared>,
    pub(super) started: Instant,
    pub(super) route: Route,
    pub(super) id: HeaderValue,
    /// Kept only where a line is written for every request.
    pub(super) line: Option<(Method, String)>,
}

impl<S, B, R> Service<Request<B>> for Observe<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ObserveFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let id = self.ids.identify(request.headers_mut());
        let path = request.uri().path();
        let line = self
            .shared
            .log_requests
            .then(|| (request.method().clone(), path.to_owned()));
        let route = Route::of(path);
        let seen = Seen {
            shared: Arc::clone(&self.shared),
            started: Instant::now(),
            route,
            id,
            line,
        };
        ObserveFuture::new(self.inner.call(request), seen)
    }
}
