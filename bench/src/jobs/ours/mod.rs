//! Our engines as a process of their own: one measurement, one JSON line, as the peers' programs do it.
//!
//! `paceline-bench jobs URL MODE JOBS SECONDS CONCURRENCY`, the URL `sqlite:FILE` or `redis://HOST:PORT`.

mod adding;
mod depth;
mod memory;
mod payload;
mod pick_up;
mod processing;

use std::time::{Duration, Instant};

use paceline_jobs::{EngineHandle, Queue, RedisEngine, SqliteEngine};
use serde_json::{Value, json};

use crate::Outcome;
use payload::Payload;

/// What to do, and how much of it.
#[derive(Clone, Debug)]
struct Task {
    queue: Queue<Payload>,
    jobs: u32,
    /// When to stop although there are jobs left.
    limit: Duration,
    concurrency: usize,
}

/// Runs one mode and prints its line.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    let [url, mode, numbers @ ..] = arguments else {
        return Err("jobs needs URL MODE JOBS SECONDS CONCURRENCY".to_owned());
    };
    let numbers: Option<Vec<u32>> = numbers.iter().map(|number| number.parse().ok()).collect();
    let Some([jobs, seconds, concurrency]) = numbers.as_deref() else {
        return Err("JOBS SECONDS CONCURRENCY are three numbers".to_owned());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let task = Task {
            queue: queue(&open(url).await?)?,
            jobs: *jobs,
            limit: Duration::from_secs((*seconds).into()),
            concurrency: *concurrency as usize,
        };
        let line = match mode.as_str() {
            "add" => adding::one_by_one(&task).await?,
            "add-bulk" => adding::bulk(&task).await?,
            "process" => processing::run(&task).await?,
            "work" => processing::run_off(&task).await?,
            "pick-up" => pick_up::run(&task, &task.queue).await?,
            "pick-up-across" => pick_up::run(&task, &queue(&open(url).await?)?).await?,
            "depth" => depth::run(&task).await?,
            "endurance" => memory::endurance(&task).await?,
            "idle" => memory::idle(&task).await?,
            other => return Err(format!("there is no mode {other:?}")),
        };
        println!("{line}");
        Ok(())
    })
}

/// The engine behind a URL, as it is by default.
async fn open(url: &str) -> Outcome<EngineHandle> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let engine = SqliteEngine::open(path).map_err(said)?;
        return Ok(EngineHandle::from(engine));
    }
    if url.starts_with("redis:") {
        return Ok(EngineHandle::from(
            RedisEngine::connect(url).await.map_err(said)?,
        ));
    }
    Err(format!("{url} is no sqlite: or redis: URL"))
}

fn queue(engine: &EngineHandle) -> Outcome<Queue<Payload>> {
    Queue::new(engine, "bench").map_err(said)
}

/// How many in how long.
fn rate(jobs: u32, start: Instant) -> Value {
    json!({ "jobs": jobs, "seconds": start.elapsed().as_secs_f64() })
}

fn said(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
