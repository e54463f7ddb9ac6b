//! The service of [`RateLimitLayer`](super::RateLimitLayer).

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::{Clock, Limiter, ResponseFuture};
use crate::client_ip::{ClientAddress, Ipv6PrefixLength};
use crate::problem::Problem;

/// Refuses requests beyond their limits with 429, and tells every answer's client where it stands.
#[derive(Debug, Clone)]
pub struct RateLimit<S> {
    inner: S,
    limiter: Limiter,
    clock: Arc<dyn Clock>,
    ipv6_prefix: Ipv6PrefixLength,
}

impl<S> RateLimit<S> {
    pub(super) fn new(
        inner: S,
        limiter: Limiter,
        clock: Arc<dyn Clock>,
        ipv6_prefix: Ipv6PrefixLength,
    ) -> Self {
        Self {
            inner,
            limiter,
            clock,
            ipv6_prefix,
        }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for RateLimit<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: From<Bytes>,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResponseBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let key = ClientAddress::of(request.extensions())
            .key(self.ipv6_prefix)
            .into();
        match self
            .limiter
            .reserve_at(request.uri().path(), key, self.clock.now())
        {
            Ok(reservation) => ResponseFuture::running(self.inner.call(request), reservation),
            Err(exceeded) => {
                tracing::debug!(policy = exceeded.policy().name(), "rate limit exceeded");
                let response = Problem::from(exceeded).into_http_response();
                ResponseFuture::refused(response.map(ResponseBody::from))
            }
        }
    }
}
