//! Events that nobody asked for over HTTP become jobs.

use paceline_jobs::{EngineHandle, JobOptions};
use paceline_serverless::{BoxError, Scheduled};
use serde_json::{Value, json, value::RawValue};

/// The queue they wait in.
const QUEUE: &str = "lambda-events";
/// The name of a job whose event does not say what sent it.
const NAMELESS: &str = "event";

/// Adds the event as a job, named after the schedule. An event that is sent again is the job it was.
pub(super) async fn add(engine: EngineHandle, event: Scheduled) -> Result<Value, BoxError> {
    let queue = engine.queue(QUEUE)?;
    let mut options = JobOptions::new();
    if let Some(id) = event.id() {
        options = options.id(id)?;
    }
    let payload: Box<RawValue> = serde_json::value::to_raw_value(&event.event)?;
    let name = event.name().unwrap_or(NAMELESS);
    let added = queue.add_with(name, &payload, options).await?;
    tracing::info!(queue = QUEUE, name, id = %added.id, again = added.existing, "an event became a job");
    Ok(json!({"queue": QUEUE, "job": added.id.as_str()}))
}
