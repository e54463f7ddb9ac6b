//! One event, from its bytes to what is reported.

use std::future::{Future, poll_fn};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower_service::Service;

use super::FunctionError;
use super::client::Report;
use super::next::Next;
use crate::BoxError;
use crate::body::Body;
use crate::event::{self, Event, Malformed, Shape, StagePrefix};
use crate::on_schedule::{OnSchedule, Scheduled, Untaken};
use crate::panic::caught;
use crate::response::collect::{Ungathered, collect};
use crate::response::streaming::Streamed;
use crate::response::{buffered, problem};
use crate::warm_up::{self, Counters, Kind, Recognised, WarmUp};

/// What is the same for every event.
#[derive(Debug, Clone)]
pub(crate) struct Core<S> {
    pub(crate) service: S,
    pub(crate) warm_up: WarmUp,
    pub(crate) on_schedule: Option<OnSchedule>,
    pub(crate) stage: StagePrefix,
    pub(crate) streams: bool,
    pub(crate) margin: Duration,
    pub(crate) counters: Counters,
}

/// What is reported.
pub(super) enum Reply {
    /// A payload.
    Whole(Vec<u8>),
    /// A payload that comes into being.
    Stream(Report),
    /// That the event could not be answered.
    Error(FunctionError),
}

impl<S, B> Core<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Error: Into<BoxError>,
{
    /// Answers an event; never fails and never panics.
    pub(super) async fn invoke(&mut self, next: Next) -> Reply {
        match event::read(&next.payload, &self.warm_up.matching, self.stage) {
            Ok(Event::Http(shape, request)) => self.http(shape, request, next).await,
            Ok(Event::WarmUp(recognised)) => {
                self.warmed(recognised).await;
                Reply::Whole(warm_up::REPLY.into())
            }
            Ok(Event::Other(event)) => self.other(event, next).await,
            Err(error) => {
                self.counters.count(Kind::Other);
                Reply::Error(logged("Paceline.UnknownEvent", &error))
            }
        }
    }

    async fn http(
        &mut self,
        shape: Shape,
        request: Result<Box<Request<Body>>, Malformed>,
        next: Next,
    ) -> Reply {
        let is_cold = self.counters.count(Kind::Request);
        let mut request = match request {
            Ok(request) => *request,
            Err(malformed) => {
                tracing::warn!(error = %malformed, "an event is no proper request");
                return whole(shape, &problem::malformed(&malformed));
            }
        };
        tracing::debug!(
            request_id = next.invocation.request_id,
            is_cold,
            "a request"
        );
        request.extensions_mut().insert(next.invocation);
        if let Some(deadline) = next.deadline {
            request.extensions_mut().insert(deadline);
        }
        // The event was copied into the request.
        drop(next.payload);
        let now = Instant::now();
        let by = next
            .deadline
            .map(|deadline| deadline.answer_by(now, self.margin));
        let answering = caught(answer(&mut self.service, request));
        let response = match in_time(by, answering).await {
            None => return whole(shape, &out_of_time()),
            Some(Ok(Ok(response))) => response,
            Some(Ok(Err(error))) => return whole(shape, &failed(&*error)),
            Some(Err(panicked)) => return whole(shape, &failed(&panicked)),
        };
        if self.streams && shape.can_stream() {
            return Reply::Stream(Streamed::new(response, by).boxed_unsync());
        }
        let (head, body) = response.into_parts();
        match in_time(by, caught(collect(body))).await {
            None => whole(shape, &out_of_time()),
            Some(Ok(Ok(body))) => whole(shape, &Response::from_parts(head, body)),
            Some(Ok(Err(Ungathered::TooLarge))) => {
                let is_coded = head.headers.contains_key(http::header::CONTENT_ENCODING);
                tracing::warn!("an answer was too large for a whole one");
                whole(shape, &problem::too_large(is_coded))
            }
            Some(Ok(Err(Ungathered::Failed(error)))) => whole(shape, &failed(&*error)),
            Some(Err(panicked)) => whole(shape, &failed(&panicked)),
        }
    }

    async fn warmed(&mut self, recognised: Recognised) {
        let is_cold = self.counters.count(Kind::WarmUp);
        if recognised.wanted > 1 {
            tracing::warn!(
                wanted = recognised.wanted,
                "a warm-up wants more environments than this one: the function does not invoke itself. \
                 serverless-plugin-warmup sends as many as it wants; provisioned concurrency keeps them"
            );
        }
        let (is_pinged, ()) = tokio::join!(self.warm_up.run(), tokio::time::sleep(recognised.stay));
        let counts = self.counters.read();
        tracing::info!(
            environment = counts.environment,
            sender = ?recognised.sender,
            is_cold,
            is_pinged,
            warm_ups = counts.warm_ups,
            requests = counts.cold_requests + counts.warm_requests,
            "warm-up"
        );
    }

    async fn other(&mut self, event: serde_json::Value, next: Next) -> Reply {
        self.counters.count(Kind::Other);
        let Some(handler) = &self.on_schedule else {
            return Reply::Error(logged("Paceline.UnhandledEvent", &Untaken::new(&event)));
        };
        let scheduled = Scheduled {
            event,
            invocation: next.invocation,
            deadline: next.deadline,
        };
        match handler.run(scheduled).await {
            Ok(done) => Reply::Whole(done.to_string().into()),
            Err(error) => Reply::Error(logged("Paceline.EventFailed", &*error)),
        }
    }
}

async fn answer<S>(service: &mut S, request: Request<Body>) -> Result<S::Response, BoxError>
where
    S: Service<Request<Body>>,
    S::Error: Into<BoxError>,
{
    poll_fn(|context| service.poll_ready(context))
        .await
        .map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

/// What it comes to, or none when it is not over in time; it is dropped then.
async fn in_time<F: Future>(by: Option<Instant>, work: F) -> Option<F::Output> {
    match by {
        Some(by) => tokio::time::timeout_at(by.into(), work).await.ok(),
        None => Some(work.await),
    }
}

fn whole(shape: Shape, response: &Response<Bytes>) -> Reply {
    Reply::Whole(buffered::payload(shape, response))
}

fn out_of_time() -> Response<Bytes> {
    tracing::warn!("a request was not answered before the function's time was over");
    problem::out_of_time()
}

fn failed(error: &dyn std::error::Error) -> Response<Bytes> {
    let error = FunctionError::new("", error);
    tracing::error!(error = error.message, "the service failed on a request");
    problem::failed()
}

fn logged(kind: &'static str, error: &dyn std::error::Error) -> FunctionError {
    let error = FunctionError::new(kind, error);
    tracing::error!(
        kind,
        error = error.message,
        "an event could not be answered"
    );
    error
}
