//! The answer of a limited service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::layer::Settings;
use super::{Outcome, Reservation};

pin_project! {
    /// Resolves to the inner service's answer with the `RateLimit` fields added, or at once to a 429.
    ///
    /// Dropped before the answer, or ended by an error of the inner service, the request counts.
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B> {
        Refused { response: Option<Response<B>> },
        Running { #[pin] inner: F, ends: Option<(Reservation, Arc<Settings>)> },
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn refused(response: Response<B>) -> Self {
        Self {
            state: State::Refused {
                response: Some(response),
            },
        }
    }

    pub(super) fn running(inner: F, reservation: Reservation, settings: Arc<Settings>) -> Self {
        Self {
            state: State::Running {
                inner,
                ends: Some((reservation, settings)),
            },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Refused { response } => Poll::Ready(Ok(response
                .take()
                .expect("a future is not polled after its end"))),
            StateProjection::Running { inner, ends } => {
                // The answer is changed where it lies: it is large enough for moves to count.
                let mut polled = inner.poll(context);
                if let Poll::Ready(Ok(response)) = &mut polled
                    && let Some((reservation, settings)) = ends.take()
                {
                    finish(reservation, &settings, response);
                }
                polled
            }
        }
    }
}

/// Settles what the request costs, and tells its client what is left.
fn finish<B: Body>(reservation: Reservation, settings: &Settings, response: &mut Response<B>) {
    let standing = if reservation.is_settled() {
        reservation.keep()
    } else {
        reservation.settle(Outcome::of(response), settings.clock.now())
    };
    let unix_seconds = || settings.clock.unix_seconds();
    standing.write_headers_as(settings.dialect, response.headers_mut(), unix_seconds);
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = matches!(self.state, State::Refused { .. });
        f.debug_struct("ResponseFuture")
            .field("refused", &refused)
            .finish_non_exhaustive()
    }
}
