//! A panic of the service's becomes an error, so that the environment goes on.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Something of the service's panicked.
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl Panicked {
    fn new(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Self(text.unwrap_or_else(|| "a value that is no text".to_owned()))
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}

/// Calls `run`, whatever it does.
pub(crate) fn call<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    // What a panic left half done is the service's own, as on any server that catches panics for each request.
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| Panicked::new(&*payload))
}

/// The future, and its panic as an error. After one it is not polled again.
pub(crate) fn caught<F: Future>(inner: F) -> Caught<F> {
    Caught { inner }
}

pin_project_lite::pin_project! {
    /// See [`caught`].
    pub(crate) struct Caught<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().inner;
        match call(|| inner.poll(context)) {
            Ok(poll) => poll.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }
}
