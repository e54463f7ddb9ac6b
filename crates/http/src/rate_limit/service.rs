//! The service of [`RateLimitLayer`](super::RateLimitLayer).

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::layer::Settings;
use super::{Limiter, RequestHead, ResponseFuture};

/// Refuses requests beyond their limits with 429, and tells every answer's client where it stands.
#[derive(Debug, Clone)]
pub struct RateLimit<S> {
    inner: S,
    limiter: Limiter,
    settings: Arc<Settings>,
}

impl<S> RateLimit<S> {
    pub(super) fn new(inner: S, limiter: Limiter, settings: Settings) -> Self {
        Self {
            inner,
            limiter,
            settings: Arc::new(settings),
        }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for RateLimit<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: Body + From<Bytes>,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResponseBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let settings = &self.settings;
        let head = RequestHead::from(&request);
        let key = settings.key.of(&head);
        let reserved = self.limiter.reserve_for(&head, key, settings.clock.now());
        settings.watch.look(&mut request, key);
        match reserved {
            Ok(reservation) => {
                let inner = self.inner.call(request);
                ResponseFuture::running(inner, reservation, Arc::clone(settings))
            }
            Err(exceeded) => {
                tracing::debug!(policy = exceeded.policy().name(), "rate limit exceeded");
                let problem =
                    exceeded.into_problem(settings.dialect, || settings.clock.unix_seconds());
                let response = problem.into_http_response();
                ResponseFuture::refused(response.map(ResponseBody::from))
            }
        }
    }
}
