//! How many jobs a second the embedded engine takes in and works off on this machine, with nothing in the
//! handlers: `cargo run --release -p paceline-jobs --example throughput -- [JOBS] [CONCURRENCY]`.
//!
//! The store is a file in the target folder with full durability: an answered add, and an answered ending,
//! survive a power loss.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use paceline_jobs::{
    Durability, EngineHandle, Job, JobError, JobOptions, Queue, Shutdown, SqliteOptions, Worker,
};

/// Jobs in one add.
const BULK: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let jobs = arguments.next().transpose()?.unwrap_or(100_000);
    let concurrency = arguments.next().transpose()?.unwrap_or(32);
    let folder = tempfile::tempdir_in(target())?;
    let options = SqliteOptions::new(folder.path().join("jobs.db")).durability(Durability::Full);
    let engine = EngineHandle::from(options.open()?);
    let queue: Queue<String> = Queue::new(&engine, "throughput")?;

    let payload = "x".repeat(200);
    let began = Instant::now();
    for start in (0..jobs).step_by(BULK) {
        let count = BULK.min(jobs - start);
        let bulk = (0..count).map(|_| ("nothing", &payload, JobOptions::new()));
        queue.add_bulk(bulk).await?;
    }
    report("added", jobs, began.elapsed());

    let began = Instant::now();
    let worker = Worker::builder(queue.clone())
        .concurrency(concurrency)
        .start(|_: Job<String>| async { Ok::<_, JobError>(()) });
    loop {
        let counts = queue
            .info()
            .await?
            .ok_or("the queue has jobs and is known")?
            .counts;
        if counts.not_started() + counts.active == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    report("processed", jobs, began.elapsed());
    worker.stop(Duration::from_secs(5)).await;
    engine.stop(Duration::from_secs(5)).await;
    Ok(())
}

/// The target folder: `target/release/examples/throughput` lies in it.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().map_or_else(PathBuf::new, Into::into)
}

fn report(what: &str, jobs: usize, took: Duration) {
    let rate = f64::from(u32::try_from(jobs).unwrap_or(u32::MAX)) / took.as_secs_f64();
    println!("{what} {jobs} jobs in {took:.2?}: {rate:.0} a second");
}
