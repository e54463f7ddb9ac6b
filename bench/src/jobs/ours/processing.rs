//! Working off jobs that wait, with a handler that does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use paceline_jobs::{Job, JobError, Shutdown, Worker};
use serde_json::Value;
use tokio::sync::Notify;

use super::adding::fill;
use super::payload::Payload;
use super::{Task, rate};
use crate::Outcome;

/// From the start of the worker until the last ending is stored.
pub(super) async fn run(task: &Task) -> Outcome<Value> {
    fill(&task.queue, task.jobs).await?;
    run_off(task).await
}

/// The same of jobs that somebody else added.
pub(super) async fn run_off(task: &Task) -> Outcome<Value> {
    let start = Instant::now();
    let done = work(task, task.jobs, task.limit).await;
    Ok(rate(done, start))
}

/// Handles `jobs` jobs, or as many as there is time for; the stop waits until their endings are stored.
pub(super) async fn work(task: &Task, jobs: u32, limit: Duration) -> u32 {
    let done = Arc::new(AtomicU32::new(0));
    let all = Arc::new(Notify::new());
    let (count, last) = (Arc::clone(&done), Arc::clone(&all));
    let worker = Worker::builder(task.queue.clone())
        .concurrency(task.concurrency)
        .start(move |_: Job<Payload>| {
            if count.fetch_add(1, Ordering::Relaxed) + 1 == jobs {
                last.notify_one();
            }
            async { Ok::<_, JobError>(()) }
        });
    // Running out of time is no error: what was done until then is the result.
    let _ = tokio::time::timeout(limit, all.notified()).await;
    worker.stop(Duration::from_secs(10)).await;
    done.load(Ordering::Relaxed)
}
