//! The answer's head passes by: count it, name it, log it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use paceline_http::request_id::X_REQUEST_ID;
use pin_project_lite::pin_project;

use super::service::Seen;

pin_project! {
    /// Resolves to the inner answer with its request id.
    pub(in crate::server) struct ObserveFuture<F> {
        #[pin]
        inner: F,
        seen: Option<Seen>,
    }
}

impl<F> ObserveFuture<F> {
    pub(super) fn new(inner: F, seen: Seen) -> Self {
        Self {
            inner,
            seen: Some(seen),
        }
    }
}

impl<F, R, E> Future for ObserveFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut polled = this.inner.poll(cx);
        if let Poll::Ready(Ok(response)) = &mut polled
            && let Some(seen) = this.seen.take()
        {
            finish(seen, response);
        }
        polled
    }
}

fn finish<R>(seen: Seen, response: &mut Response<R>) {
    let status = response.status();
    let elapsed = seen.started.elapsed();
    seen.shared.metrics.record(seen.route, status, elapsed);
    let id = seen.id.to_str().unwrap_or_default();
    if status.is_server_error() {
        tracing::error!(
            request = id,
            route = seen.route.name(),
            status = status.as_u16(),
            "request failed"
        );
    }
    if let Some((method, path)) = seen.line {
        let micros = elapsed.as_micros();
        tracing::info!(request = id, %method, path, status = status.as_u16(), micros, "request");
    }
    response.headers_mut().insert(X_REQUEST_ID, seen.id);
}
