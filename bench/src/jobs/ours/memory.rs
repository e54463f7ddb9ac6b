//! Memory of a worker that has nothing to do, and of one that did a lot while nobody read events.

use std::time::Duration;

use paceline_jobs::{Job, JobError, Worker};
use serde_json::{Value, json};

use super::Task;
use super::adding::fill;
use super::payload::Payload;
use super::processing::work;
use crate::Outcome;
use crate::server::resident_of;

/// Jobs between two looks, as a part of all.
const SLICES: u32 = 10;

/// After this the worker has done all that it does at its start.
const SETTLED: Duration = Duration::from_secs(2);

/// Adds and works off JOBS in slices; resident bytes after the first and after the last.
pub(super) async fn endurance(task: &Task) -> Outcome<Value> {
    let slice = task.jobs / SLICES;
    let mut resident = Vec::new();
    for _ in 0..SLICES {
        fill(&task.queue, slice).await?;
        let done = work(task, slice, task.limit).await;
        if done < slice {
            return Err(format!("{done} of {slice} jobs in {:?}", task.limit));
        }
        resident.push(resident_of(std::process::id()));
    }
    Ok(json!({ "start": resident[0], "end": resident[resident.len() - 1] }))
}

/// A worker that waits for jobs that never come.
pub(super) async fn idle(task: &Task) -> Outcome<Value> {
    let _worker = Worker::builder(task.queue.clone())
        .concurrency(task.concurrency)
        .start(async |_: Job<Payload>| Ok::<_, JobError>(()));
    tokio::time::sleep(SETTLED).await;
    Ok(json!({ "resident": resident_of(std::process::id()) }))
}
