//! The loop, as often as there may be invocations at the same time, until the process is to end.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::task::JoinSet;
use tower_service::Service;

use super::api::RuntimeApi;
use super::client::Report;
use super::extension;
use super::invoke::{Core, Reply};
use super::snap_start::{self, SnapStart};
use super::{FunctionError, RuntimeApiError, Stop, stopped};
use crate::body::Body;
use crate::place::{Initialization, Lambda};
use crate::{BoxError, RunError};

/// Questions in a row that may fail before a worker gives up.
const ATTEMPTS: u32 = 4;
/// Between them.
const PAUSE: Duration = Duration::from_millis(50);
/// How long invocations under way get once the process is to end; the platform kills it after 500 ms.
const LAST_ANSWERS: Duration = Duration::from_millis(150);

/// Answers events until `stop`, or until the Runtime API cannot be asked any more.
pub(crate) async fn run<S, B>(
    lambda: &Lambda,
    core: Core<S>,
    resources: &[Arc<dyn SnapStart>],
    mut stop: Stop,
) -> Result<(), RunError>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut api = RuntimeApi::new(&lambda.runtime_api)?;
    if let Err(error) = extension::register(api.clone()).await {
        tracing::warn!(%error, "no extension could be registered: the platform ends the process without telling it before");
    }
    if lambda.initialization == Initialization::SnapStart {
        let passing = snap_start::pass(&mut api, resources);
        tokio::select! {
            passed = passing => passed.map_err(RunError::snapshot)?,
            () = stopped(&mut stop) => return Ok(()),
        }
    }
    let mut workers = start(lambda.at_once, &api, &core, &stop);
    let mut last = None;
    let finished = async {
        while let Some(ended) = workers.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, left = workers.len(), "a worker ended");
                    last = Some(error);
                }
                Err(error) => tracing::error!(%error, left = workers.len(), "a worker broke"),
            }
        }
        last
    };
    let stopping = async {
        stopped(&mut stop).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        last = finished => last.map_or(Ok(()), |error| Err(error.into())),
        () = stopping => Ok(()),
    }
}

fn start<S, B>(
    at_once: NonZeroUsize,
    api: &RuntimeApi,
    core: &Core<S>,
    stop: &Stop,
) -> JoinSet<Result<(), RuntimeApiError>>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut workers = JoinSet::new();
    for _ in 0..at_once.get() {
        workers.spawn(work(api.clone(), core.clone(), stop.clone()));
    }
    workers
}

/// Streams an answer. When it breaks off, the platform is told as well: if nothing had left, it would not know otherwise.
async fn stream(api: &mut RuntimeApi, id: &str, report: Report) -> Result<(), RuntimeApiError> {
    let streamed = api.stream(id, report).await;
    if let Err(error) = &streamed {
        let error = FunctionError::new("Paceline.TruncatedResponse", error);
        if let Err(refused) = api.fail(id, &error).await {
            tracing::debug!(%refused, "the platform knows that the answer broke off");
        }
    }
    streamed
}

/// Takes one event after the other.
async fn work<S, B>(
    mut api: RuntimeApi,
    mut core: Core<S>,
    mut stop: Stop,
) -> Result<(), RuntimeApiError>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut failures = 0;
    loop {
        let next = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Ok(()),
            next = api.next() => next,
        };
        let next = match next {
            Ok(next) => next,
            Err(error) if failures + 1 < ATTEMPTS => {
                failures += 1;
                tracing::warn!(%error, failures, "the next event could not be asked for");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        failures = 0;
        let id = next.invocation.request_id.clone();
        let reported = match core.invoke(next).await {
            Reply::Whole(payload) => api.respond(&id, payload).await,
            Reply::Stream(report) => stream(&mut api, &id, report).await,
            Reply::Error(error) => api.fail(&id, &error).await,
        };
        if let Err(error) = reported {
            tracing::warn!(request_id = id, %error, "an answer could not be reported");
        }
    }
}
