//! Asks for the state, judges, and only then lets the request through.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::ETAG;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::conditional::{
    ConditionalBody, Decision, EntityTagRef, IfNoneMatch, KnownState, evaluate,
    retain_not_modified_headers,
};
use crate::problem::Problem;

pin_project! {
    /// The future of [`Validated`](super::Validated).
    pub struct ValidatedFuture<S, A, RequestBody, ResponseBody>
    where
        S: Service<Request<RequestBody>>,
    {
        #[pin]
        stage: Stage<S, A, S::Future, RequestBody>,
        body: std::marker::PhantomData<fn() -> ResponseBody>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<S, A, F, RequestBody> {
        Refused { problem: Option<Problem> },
        Asking { #[pin] state: A, held: Option<Held<Request<RequestBody>, S>> },
        Running { #[pin] inner: F, known: Option<KnownState> },
    }
}

/// Says to a [`ConditionalLayer`](crate::conditional::ConditionalLayer) further in that there is nothing to hash.
#[derive(Debug, Clone, Copy)]
pub(in crate::conditional) struct TagIsKnown;

/// A request that waits for the state, and where it goes then.
struct Held<R, S> {
    request: R,
    inner: S,
}

/// What follows from the state.
enum Judged {
    Answered(Response<Bytes>),
    /// The request goes on; a read's 200 gets the state's fields.
    Through(Option<KnownState>),
}

impl<S, A, RequestBody, ResponseBody> ValidatedFuture<S, A, RequestBody, ResponseBody>
where
    S: Service<Request<RequestBody>>,
{
    fn at(stage: Stage<S, A, S::Future, RequestBody>) -> Self {
        Self {
            stage,
            body: std::marker::PhantomData,
        }
    }

    pub(super) fn refused(problem: Problem) -> Self {
        Self::at(Stage::Refused {
            problem: Some(problem),
        })
    }

    pub(super) fn asking(state: A, request: Request<RequestBody>, inner: S) -> Self {
        Self::at(Stage::Asking {
            state,
            held: Some(Held { request, inner }),
        })
    }

    pub(super) fn running(inner: S::Future, known: Option<KnownState>) -> Self {
        Self::at(Stage::Running { inner, known })
    }
}

impl<S, A, RequestBody, ResponseBody> Future for ValidatedFuture<S, A, RequestBody, ResponseBody>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    A: Future<Output = Option<KnownState>>,
    ResponseBody: Body,
{
    type Output = Result<Response<ConditionalBody<ResponseBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            let next = match stage.as_mut().project() {
                StageProjection::Refused { problem } => {
                    let problem = problem.take().expect("polled again after the end");
                    return Poll::Ready(Ok(whole(problem.into_http_response())));
                }
                StageProjection::Asking { state, held } => {
                    let known = ready!(state.poll(cx));
                    let Held {
                        mut request,
                        mut inner,
                    } = held.take().expect("taken once, at the end");
                    match judge(request.method(), request.headers(), known) {
                        Judged::Answered(response) => return Poll::Ready(Ok(whole(response))),
                        Judged::Through(known) => {
                            if known.as_ref().is_some_and(KnownState::has_tag) {
                                request.extensions_mut().insert(TagIsKnown);
                            }
                            Stage::Running {
                                inner: inner.call(request),
                                known,
                            }
                        }
                    }
                }
                StageProjection::Running { inner, known } => {
                    // The answer is changed where it lies: it is large enough for moves to count.
                    let mut polled = inner.poll(cx);
                    if let Poll::Ready(Ok(response)) = &mut polled
                        && response.status() == StatusCode::OK
                        && let Some(known) = known.take()
                    {
                        known.complete(response.headers_mut());
                    }
                    return polled.map_ok(|response| response.map(ConditionalBody::untouched));
                }
            };
            stage.set(next);
        }
    }
}

fn judge(method: &Method, headers: &HeaderMap, known: Option<KnownState>) -> Judged {
    let Some(known) = known else {
        return Judged::Through(None);
    };
    match evaluate(method, headers, &known.current()) {
        Decision::Proceed => {
            let is_read = matches!(*method, Method::GET | Method::HEAD);
            Judged::Through(Some(known).filter(|known| is_read && known.exists()))
        }
        Decision::NotModified => Judged::Answered(not_modified(headers, &known)),
        Decision::Refuse(refused) => Judged::Answered(Problem::from(refused).into_http_response()),
    }
}

/// The 304: the fields of its 200, and the tag of the copy the client holds.
fn not_modified(request: &HeaderMap, known: &KnownState) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    known.complete(headers);
    retain_not_modified_headers(headers);
    if let Some(current) = known.current().tag().map(EntityTagRef::to_owned) {
        let held = IfNoneMatch::from_headers(request).held(&current, &current);
        if let Some(held) = held {
            headers.insert(ETAG, held.header_value().clone());
        }
    }
    response
}

fn whole<B: Body>(response: Response<Bytes>) -> Response<ConditionalBody<B>> {
    response.map(|data| ConditionalBody::buffered(data, None))
}

impl<S, A, RequestBody, ResponseBody> fmt::Debug
    for ValidatedFuture<S, A, RequestBody, ResponseBody>
where
    S: Service<Request<RequestBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Refused { .. } => "refused",
            Stage::Asking { .. } => "asking",
            Stage::Running { .. } => "running",
        };
        f.debug_tuple("ValidatedFuture").field(&stage).finish()
    }
}
