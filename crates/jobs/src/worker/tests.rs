//! What a worker holds inside, counted.

use std::sync::Arc;
use std::time::Duration;

use crate::{
    Durability, EngineHandle, Job, JobError, JobOptions, Queue, Retention, Shutdown, SqliteOptions,
    Worker,
};

const JOBS: u32 = 100_000;

/// Nobody reads events; a part of the jobs fails, panics, or has a timeout that is far away.
#[tokio::test(flavor = "multi_thread")]
async fn trap_20_a_hundred_thousand_jobs_leave_no_task_and_no_entry_behind() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("jobs.db")).durability(Durability::Normal);
    let engine = EngineHandle::from(options.open().unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let numbers: Vec<u32> = (0..JOBS).collect();
    let none = Retention {
        count: 0,
        age: Duration::ZERO,
    };
    let options = JobOptions::new()
        .timeout(Duration::from_hours(1))
        .keep_completed(none)
        .keep_failed(none);
    for part in numbers.chunks(10_000) {
        let jobs = part.iter().map(|number| ("n", number, options.clone()));
        queue.add_bulk(jobs).await.unwrap();
    }
    let runtime = tokio::runtime::Handle::current();
    let tasks = runtime.metrics().num_alive_tasks();
    let worker = Worker::builder(queue.clone())
        .concurrency(64)
        .start(|job: Job<u32>| async move {
            match job.data() % 1_000 {
                0 => Err(JobError::retryable("fails")),
                _ => Ok(()),
            }
        });
    loop {
        let counts = queue.info().await.unwrap().unwrap().counts;
        if counts.not_started() + counts.active == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let shared = Arc::clone(&worker.shared);
    while shared.running.len() > 0 || shared.slots.used() > shared.slots.limit() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(shared.endings.len(), 0);
    // The loop that takes jobs and the one that tells how they ended.
    assert_eq!(runtime.metrics().num_alive_tasks(), tasks + 2);
    worker.stop(Duration::from_secs(5)).await;
    assert_eq!(shared.slots.used(), 0);
    drop(worker);
    while Arc::strong_count(&shared) > 1 {
        // The two loops and the lease thread end by themselves.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(runtime.metrics().num_alive_tasks(), tasks);
}
