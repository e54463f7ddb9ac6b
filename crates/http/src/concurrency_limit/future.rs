//! The answer of a service with places.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::HeldBody;
use super::gate::{Place, Shed};
use crate::problem::Problem;

type Turn = Pin<Box<dyn Future<Output = Result<Place, Shed>> + Send>>;

pin_project! {
    /// Resolves to the inner service's answer once it had a place, or to a 503.
    ///
    /// Dropped at any time, it gives its place back.
    pub struct ResponseFuture<S, Q, B>
    where
        S: Service<Q>,
    {
        #[pin]
        state: State<S, Q, S::Future>,
        body: std::marker::PhantomData<fn() -> B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, Q, F> {
        Waiting { turn: Turn, call: Option<(S, Q)> },
        Running { #[pin] inner: F, place: Option<Place> },
        Shed { shed: Shed },
    }
}

impl<S: Service<Q>, Q, B> ResponseFuture<S, Q, B> {
    fn new(state: State<S, Q, S::Future>) -> Self {
        Self {
            state,
            body: std::marker::PhantomData,
        }
    }

    pub(super) fn running(inner: S::Future, place: Option<Place>) -> Self {
        Self::new(State::Running { inner, place })
    }

    pub(super) fn waiting(
        turn: impl Future<Output = Result<Place, Shed>> + Send + 'static,
        inner: S,
        request: Q,
    ) -> Self {
        Self::new(State::Waiting {
            turn: Box::pin(turn),
            call: Some((inner, request)),
        })
    }

    pub(super) fn shed(shed: Shed) -> Self {
        Self::new(State::Shed { shed })
    }
}

impl<S, Q, B> Future for ResponseFuture<S, Q, B>
where
    S: Service<Q, Response = Response<B>>,
    B: From<Bytes>,
{
    type Output = Result<Response<HeldBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Waiting { turn, call } => {
                    match ready!(turn.as_mut().poll(context)) {
                        Ok(place) => {
                            let (mut inner, request) =
                                call.take().expect("a future is not polled after its end");
                            State::Running {
                                inner: inner.call(request),
                                place: Some(place),
                            }
                        }
                        Err(shed) => State::Shed { shed },
                    }
                }
                StateProjection::Running { inner, place } => {
                    let response = ready!(inner.poll(context))?;
                    let place = place.take();
                    return Poll::Ready(Ok(response.map(|body| HeldBody::new(body, place))));
                }
                StateProjection::Shed { shed } => {
                    tracing::debug!("turned away: {shed}");
                    let response = Problem::from(*shed).into_http_response();
                    let body = |bytes| HeldBody::new(B::from(bytes), None);
                    return Poll::Ready(Ok(response.map(body)));
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Q>, Q, B> fmt::Debug for ResponseFuture<S, Q, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting { .. } => "waiting",
            State::Running { .. } => "running",
            State::Shed { .. } => "shed",
        };
        f.debug_struct("ResponseFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
