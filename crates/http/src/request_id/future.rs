//! The answer gets the request's id.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Response};
use pin_project_lite::pin_project;

use super::X_REQUEST_ID;

pin_project! {
    /// Resolves to the inner service's answer with the request's id.
    #[derive(Debug)]
    pub struct RequestIdFuture<F> {
        #[pin]
        inner: F,
        id: Option<HeaderValue>,
    }
}

impl<F> RequestIdFuture<F> {
    pub(super) fn new(inner: F, id: HeaderValue) -> Self {
        Self {
            inner,
            id: Some(id),
        }
    }
}

impl<F, B, E> Future for RequestIdFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // The answer is changed where it lies: it is large enough for moves to count.
        let mut polled = this.inner.poll(context);
        if let Poll::Ready(Ok(response)) = &mut polled
            && let Some(id) = this.id.take()
        {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        polled
    }
}
