//! `GET /api/jobs/{queue}/{id}`: what became of a job.
//!
//! Only queues the configuration serves can be asked for, and ids cannot be guessed: whoever has one was
//! given it. Where adding one takes a login token, so does this. The payload is not shown.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Method};
use paceline_http::problem::Problem;
use paceline_http::representation::Representation;
use paceline_jobs::{EngineHandle, JobId, JobSnapshot, QueueName, Timestamp};
use serde_json::{Value, json};

use super::resource::{content_tag, failure};
use super::source::Source;

/// What the route needs.
#[derive(Debug, Clone)]
pub(super) struct JobRoute {
    pub(super) source: Arc<Source>,
    pub(super) engine: EngineHandle,
    /// The queues that are served.
    pub(super) queues: Arc<[QueueName]>,
    /// Whether a login token is asked for, as it is by the route that adds the jobs.
    pub(super) token: bool,
}

/// Answers one job.
pub(super) async fn job(
    State(route): State<JobRoute>,
    Path((queue, id)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if route.token {
        route.source.check_token(&headers)?;
    }
    let queue = route
        .queues
        .iter()
        .find(|served| served.as_str() == queue)
        .ok_or_else(no_job)?;
    let found = route.engine.get(queue, &JobId::lookup(id)).await;
    let job = found.map_err(Problem::internal)?.ok_or_else(no_job)?;
    let body = describe(&job).to_string();
    let tag = content_tag(body.as_bytes());
    let answer = Representation::new(HeaderValue::from_static("application/json"), body)
        .with_tag(tag)
        .with_header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let response = answer
        .into_response(&method, &headers, &route.source.compressor)
        .await;
    Ok(response.map_err(failure::precondition)?.map(Body::new))
}

fn describe(job: &JobSnapshot) -> Value {
    json!({
        "queue": job.queue,
        "id": job.id,
        "state": job.state,
        "attempts_made": job.attempts_made,
        "max_attempts": job.max_attempts,
        "progress": job.progress,
        "result": job.result,
        "failed_reason": job.failed_reason,
        "created_at": text(job.created_at),
        "due_at": job.due_at.map(text),
        "started_at": job.started_at.map(text),
        "finished_at": job.finished_at.map(text),
    })
}

/// RFC 3339, as everywhere else in the API.
fn text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| String::new(), |at| at.to_string())
}

fn no_job() -> Problem {
    Problem::not_found("There is no such job here, or it finished so long ago that it was removed.")
}
