//! What a job does when it runs is said by its data, as in the Node driver (node/handler.js).

use std::sync::Arc;

use bullmq::worker::{CancellationToken, ProcessorFn};
use bullmq::{Error, Job, JobProgress};
use serde_json::{Value, json};

use crate::tell;

pub(crate) fn handler(worker: String, queue: String) -> ProcessorFn {
    Arc::new(move |job: Job, _: CancellationToken| {
        let attempt = job.attempts_made() + 1;
        tell(&json!({
            "happening": "ran", "worker": worker, "queue": queue, "job": job.id(), "name": job.name(), "attempt": attempt,
        }));
        Box::pin(handle(job, attempt))
    })
}

async fn handle(mut job: Job, attempt: u32) -> Result<Value, Error> {
    let data = job.data().clone();
    if let Some(progress) = data.get("progress") {
        let progress = JobProgress::Object(progress.clone());
        job.update_progress(progress).await?;
    }
    let fail = &data["fail"];
    if let Some(message) = fail["message"].as_str()
        && u64::from(attempt) <= fail["times"].as_u64().unwrap_or(0)
    {
        let message = message.to_owned();
        return Err(if fail["unrecoverable"] == true {
            Error::Unrecoverable(message)
        } else {
            Error::ProcessingError(message)
        });
    }
    if data["children"] == true {
        let values = job.get_children_values().await?;
        let mut values: Vec<Value> = values.into_values().collect();
        values.sort_by_key(Value::to_string);
        return Ok(Value::Array(values));
    }
    Ok(data["answer"].clone())
}
