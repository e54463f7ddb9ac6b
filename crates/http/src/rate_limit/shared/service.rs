//! The service of [`SharedRateLimitLayer`](super::SharedRateLimitLayer).

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::super::layer::Settings;
use super::super::{Outcome, RequestHead};
use super::SharedLimiter;

/// Refuses requests beyond their limits with 429, and tells every answer's client where it stands.
#[derive(Debug, Clone)]
pub struct SharedRateLimit<S> {
    inner: S,
    limiter: SharedLimiter,
    settings: Arc<Settings>,
}

impl<S> SharedRateLimit<S> {
    pub(super) fn new(inner: S, limiter: SharedLimiter, settings: Settings) -> Self {
        Self {
            inner,
            limiter,
            settings: Arc::new(settings),
        }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SharedRateLimit<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send,
    RequestBody: Send + 'static,
    ResponseBody: Body + From<Bytes> + Send,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let settings = Arc::clone(&self.settings);
        let head = RequestHead::from(&request);
        let key = settings.key.of(&head);
        let asks = self.limiter.asks(&head);
        settings.watch.look(&mut request, key);
        let limiter = self.limiter.clone();
        // The one that was made ready goes with the request.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let unix_seconds = || settings.clock.unix_seconds();
            let now = settings.clock.now();
            let reservation = match limiter.reserve_each(asks, key, now).await {
                Ok(reservation) => reservation,
                Err(refused) => {
                    tracing::debug!("refused: {refused}");
                    let problem = refused.into_problem(settings.dialect, unix_seconds);
                    return Ok(problem.into_http_response().map(ResponseBody::from));
                }
            };
            let mut response = inner.call(request).await?;
            let (outcome, now) = (Outcome::of(&response), settings.clock.now());
            let standing = reservation.settle(outcome, now).await;
            standing.write_headers_as(settings.dialect, response.headers_mut(), unix_seconds);
            Ok(response)
        })
    }
}
