//! Handlers as tower services: closures and blocking functions become one, layers wrap one.

use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;
use tower_service::Service;

use super::Job;
use crate::outcome::JobError;

/// A handler as a [`tower_service::Service`], to put layers around it. Made by [`handler_fn`].
pub struct HandlerFn<F>(Arc<F>);

/// Makes a service of a handler, for [`WorkerBuilder::start_service`](crate::WorkerBuilder::start_service).
pub fn handler_fn<F>(handler: F) -> HandlerFn<F> {
    HandlerFn(Arc::new(handler))
}

impl<F> Clone for HandlerFn<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F> fmt::Debug for HandlerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerFn").finish_non_exhaustive()
    }
}

impl<T, F, R, O> Service<Job<T>> for HandlerFn<F>
where
    F: Fn(Job<T>) -> R,
    R: Future<Output = Result<O, JobError>>,
{
    type Response = O;
    type Error = JobError;
    type Future = R;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: Job<T>) -> R {
        (self.0)(job)
    }
}

/// A handler that blocks its thread, on the runtime's pool for such.
pub(super) struct BlockingFn<F>(Arc<F>);

impl<F> BlockingFn<F> {
    pub(super) fn new(handler: F) -> Self {
        Self(Arc::new(handler))
    }
}

impl<F> Clone for BlockingFn<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, F, O> Service<Job<T>> for BlockingFn<F>
where
    T: Send + 'static,
    F: Fn(Job<T>) -> Result<O, JobError> + Send + Sync + 'static,
    O: Send + 'static,
{
    type Response = O;
    type Error = JobError;
    type Future = OnThread<O>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: Job<T>) -> OnThread<O> {
        let handler = Arc::clone(&self.0);
        // A thread cannot be ended from outside: the place is taken until it ends by itself.
        let place = job.place();
        OnThread(tokio::task::spawn_blocking(move || {
            let done = handler(job);
            drop(place);
            done
        }))
    }
}

/// A blocking handler under way.
pub(super) struct OnThread<O>(JoinHandle<Result<O, JobError>>);

impl<O> Future for OnThread<O> {
    type Output = Result<O, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| match joined {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(JobError::retryable(
                    "the runtime stopped before the handler began",
                )),
            },
        })
    }
}

impl<O> Drop for OnThread<O> {
    fn drop(&mut self) {
        // Ends it if it waits for a thread still; else without effect.
        self.0.abort();
    }
}
