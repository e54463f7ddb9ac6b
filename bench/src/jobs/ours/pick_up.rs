//! How long a job waits for a worker that has nothing to do.

use std::time::{Duration, Instant};

use paceline_jobs::{Job, JobError, Queue, Shutdown, Worker};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::payload::Payload;
use super::{Task, said};
use crate::Outcome;

/// From the call of add to the start of the handler, the worker idle before each. `producer` may be another
/// engine on the same store, as another process would have it.
pub(super) async fn run(task: &Task, producer: &Queue<Payload>) -> Outcome<Value> {
    let (told, mut heard) = mpsc::channel(1);
    let worker = Worker::builder(task.queue.clone())
        .concurrency(task.concurrency)
        .start(move |_: Job<Payload>| {
            let (begun, told) = (Instant::now(), told.clone());
            async move {
                told.send(begun)
                    .await
                    .map_err(|_| JobError::unrecoverable("nobody measures"))
            }
        });
    let payload = Payload::new();
    let mut waits = Vec::new();
    for sample in 0..task.jobs {
        // Uneven pauses, so that no timer of ours can keep step with them.
        let pause = 10 + u64::from(sample.wrapping_mul(7919) % 20);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let start = Instant::now();
        producer.add("job", &payload).await.map_err(said)?;
        let begun = heard.recv().await.ok_or("the worker is gone")?;
        waits.push(begun.saturating_duration_since(start).as_secs_f64() * 1e3);
    }
    worker.stop(Duration::from_secs(1)).await;
    Ok(json!({ "waits_ms": waits }))
}
