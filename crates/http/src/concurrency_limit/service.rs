//! The service of [`ConcurrencyLimitLayer`](super::ConcurrencyLimitLayer).

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::gate::{Entry, Gate};
use super::{HeldBody, ResponseFuture};
use crate::rate_limit::PathPrefix;

/// Runs so many requests at the same time, and turns away with 503 those that can neither run nor wait.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit<S> {
    inner: S,
    gate: Gate,
    path: PathPrefix,
}

impl<S> ConcurrencyLimit<S> {
    pub(super) fn new(inner: S, gate: Gate, path: PathPrefix) -> Self {
        Self { inner, gate, path }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for ConcurrencyLimit<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone,
    ResponseBody: From<Bytes>,
{
    type Response = Response<HeldBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request<RequestBody>, ResponseBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        if !self.path.matches(request.uri().path()) {
            return ResponseFuture::running(self.inner.call(request), None);
        }
        match self.gate.enter() {
            Ok(Entry::Run(place)) => ResponseFuture::running(self.inner.call(request), Some(place)),
            Ok(Entry::Wait(waiting)) => {
                // The one that was made ready goes with the request.
                let next = self.inner.clone();
                let inner = mem::replace(&mut self.inner, next);
                ResponseFuture::waiting(self.gate.clone().wait(waiting), inner, request)
            }
            Err(shed) => ResponseFuture::shed(shed),
        }
    }
}
