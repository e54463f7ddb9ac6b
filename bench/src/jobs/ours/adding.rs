//! Adding: one by one with several in flight, and in bulk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use paceline_jobs::{JobOptions, Queue};
use serde_json::Value;

use super::payload::Payload;
use super::{Task, rate, said};
use crate::Outcome;

/// Jobs in one `add_bulk`.
const BULK: u32 = 1_000;

pub(super) async fn one_by_one(task: &Task) -> Outcome<Value> {
    let start = Instant::now();
    let begun = Arc::new(AtomicU32::new(0));
    let added = Arc::new(AtomicU32::new(0));
    let mut producers = tokio::task::JoinSet::new();
    for _ in 0..task.concurrency {
        let (task, begun, added) = (task.clone(), Arc::clone(&begun), Arc::clone(&added));
        producers.spawn(async move {
            let payload = Payload::new();
            while begun.fetch_add(1, Ordering::Relaxed) < task.jobs && start.elapsed() < task.limit
            {
                task.queue.add("job", &payload).await.map_err(said)?;
                added.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Ok(())
        });
    }
    while let Some(ended) = producers.join_next().await {
        ended.map_err(said)??;
    }
    Ok(rate(added.load(Ordering::Relaxed), start))
}

pub(super) async fn bulk(task: &Task) -> Outcome<Value> {
    let start = Instant::now();
    let mut added = 0;
    while added < task.jobs && start.elapsed() < task.limit {
        added += one_bulk(&task.queue, BULK.min(task.jobs - added)).await?;
    }
    Ok(rate(added, start))
}

/// Adds so many jobs, however long it takes.
pub(super) async fn fill(queue: &Queue<Payload>, jobs: u32) -> Outcome<()> {
    let mut added = 0;
    while added < jobs {
        added += one_bulk(queue, BULK.min(jobs - added)).await?;
    }
    Ok(())
}

pub(super) async fn one_bulk(queue: &Queue<Payload>, jobs: u32) -> Outcome<u32> {
    let payload = Payload::new();
    let bulk = (0..jobs).map(|_| ("job", &payload, JobOptions::new()));
    queue.add_bulk(bulk).await.map_err(said)?;
    Ok(jobs)
}
