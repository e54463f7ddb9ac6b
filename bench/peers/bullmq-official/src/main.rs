//! The official Rust port of BullMQ: one measurement, one JSON line.
//!
//! `bullmq-official add|add-bulk|process|work|pick-up JOBS SECONDS CONCURRENCY`; the Redis to use is in STORE.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bullmq::options::{JobOptions, RedisConnectionOptions};
use bullmq::queue::BulkJob;
use bullmq::types::{KeepJobs, RemoveOnFinish};
use bullmq::worker::{CancellationToken, ProcessorFn};
use bullmq::{Job, Queue, QueueOptions, Worker, WorkerOptions};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

const QUEUE: &str = "bench";
const BULK: u32 = 1_000;

#[derive(Clone, Copy)]
struct Task {
    jobs: u32,
    limit: Duration,
    concurrency: u32,
}

#[tokio::main]
async fn main() -> bullmq::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<u32>().expect("a number");
    let task = Task {
        jobs: number(1),
        limit: Duration::from_secs(number(2).into()),
        concurrency: number(3),
    };
    let options = QueueOptions {
        connection: connection(),
        default_job_options: JobOptions {
            remove_on_complete: Some(kept()),
            ..Default::default()
        },
        ..Default::default()
    };
    let queue = Arc::new(Queue::with_options(QUEUE, options).await?);
    let line = match arguments[0].as_str() {
        "add" => add(task, &queue).await?,
        "add-bulk" => add_bulk(task, &queue, true).await?,
        "process" => {
            add_bulk(task, &queue, false).await?;
            work(task).await?
        }
        "work" => work(task).await?,
        "pick-up" => pick_up(task, &queue).await?,
        other => panic!("there is no mode {other}"),
    };
    println!("{line}");
    std::process::exit(0)
}

fn connection() -> RedisConnectionOptions {
    RedisConnectionOptions {
        url: std::env::var("STORE").expect("STORE names the Redis"),
        ..Default::default()
    }
}

/// The newest 1,000 for a day, as Paceline keeps them by default: nobody can keep every job for ever.
fn kept() -> RemoveOnFinish {
    RemoveOnFinish::Options(KeepJobs {
        age: Some(24 * 60 * 60 * 1_000),
        count: Some(1_000),
        limit: None,
    })
}

/// 200 bytes as JSON.
fn data() -> Value {
    json!({ "payload": "x".repeat(200 - r#"{"payload":""}"#.len()) })
}

fn rate(jobs: u32, start: Instant) -> Value {
    json!({ "jobs": jobs, "seconds": start.elapsed().as_secs_f64() })
}

async fn add(task: Task, queue: &Arc<Queue>) -> bullmq::Result<Value> {
    let start = Instant::now();
    let begun = Arc::new(AtomicU32::new(0));
    let added = Arc::new(AtomicU32::new(0));
    let mut producers = Vec::new();
    for _ in 0..task.concurrency {
        let (queue, begun, added) = (Arc::clone(queue), Arc::clone(&begun), Arc::clone(&added));
        producers.push(tokio::spawn(async move {
            while begun.fetch_add(1, Ordering::Relaxed) < task.jobs && start.elapsed() < task.limit
            {
                queue.add("job", data()).await?;
                added.fetch_add(1, Ordering::Relaxed);
            }
            bullmq::Result::Ok(())
        }));
    }
    for producer in producers {
        producer.await.expect("no panic")?;
    }
    Ok(rate(added.load(Ordering::Relaxed), start))
}

async fn add_bulk(task: Task, queue: &Queue, limited: bool) -> bullmq::Result<Value> {
    let start = Instant::now();
    let mut added = 0;
    while added < task.jobs && (!limited || start.elapsed() < task.limit) {
        let count = BULK.min(task.jobs - added);
        let jobs = (0..count).map(|_| BulkJob::new("job", data())).collect();
        queue.add_bulk(jobs).await?;
        added += count;
    }
    Ok(rate(added, start))
}

/// From the start of a worker that finds the jobs waiting to the last one handled.
async fn work(task: Task) -> bullmq::Result<Value> {
    let done = Arc::new(AtomicU32::new(0));
    let all = Arc::new(Notify::new());
    let (count, last) = (Arc::clone(&done), Arc::clone(&all));
    let processor: ProcessorFn = Arc::new(move |_job: Job, _token: CancellationToken| {
        if count.fetch_add(1, Ordering::Relaxed) + 1 == task.jobs {
            last.notify_one();
        }
        Box::pin(async { Ok(Value::Null) })
    });
    let start = Instant::now();
    let worker = Worker::with_options(QUEUE, processor, worker_options(task)).await?;
    let _ = tokio::time::timeout(task.limit, all.notified()).await;
    let line = rate(done.load(Ordering::Relaxed), start);
    worker.close(5_000).await?;
    Ok(line)
}

async fn pick_up(task: Task, queue: &Queue) -> bullmq::Result<Value> {
    let (told, mut heard) = mpsc::channel(1);
    let processor: ProcessorFn = Arc::new(move |_job: Job, _token: CancellationToken| {
        let (begun, told) = (Instant::now(), told.clone());
        Box::pin(async move {
            told.send(begun).await.expect("somebody measures");
            Ok(Value::Null)
        })
    });
    let _worker = Worker::with_options(QUEUE, processor, worker_options(task)).await?;
    let mut waits = Vec::new();
    for sample in 0..task.jobs {
        let pause = 10 + u64::from(sample.wrapping_mul(7919) % 20);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let start = Instant::now();
        queue.add("job", data()).await?;
        let begun = heard.recv().await.expect("the worker lives");
        waits.push(begun.saturating_duration_since(start).as_secs_f64() * 1e3);
    }
    Ok(json!({ "waits_ms": waits }))
}

fn worker_options(task: Task) -> WorkerOptions {
    WorkerOptions {
        connection: connection(),
        concurrency: task.concurrency as usize,
        autorun: true,
        ..Default::default()
    }
}
