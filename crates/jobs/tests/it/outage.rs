//! An engine that goes away for a while: the worker goes on by itself once it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use paceline_jobs::{EngineHandle, Job, JobError, JobOptions, Queue, Shutdown, State, Worker};
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};

use crate::flaky::{Faults, Flaky};
use crate::store::{Store, open};
use crate::workbench::{hear, reaches, until};

/// How soon a worker must go on once the engine is back.
const RESUMES_WITHIN: Duration = Duration::from_secs(5);

fn open_flaky() -> (EngineHandle, Arc<Faults>, Queue<u32>, TempDir) {
    let (inner, folder) = open();
    let (engine, faults) = Flaky::wrap(&inner);
    let queue = Queue::new(&engine, "q").unwrap();
    (engine, faults, queue, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_12_an_engine_that_is_down_at_fetch_is_asked_again_and_health_says_so() {
    let (_engine, faults, queue, _folder) = open_flaky();
    faults.set(true);
    let worker =
        Worker::builder(queue.clone()).start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
    let id = queue.add("n", &1).await.unwrap().id;
    faults.refused(3).await;
    until(|| worker.health().failures >= 3).await;
    let health = worker.health();
    assert_eq!(
        (health.last_fetch, health.active, health.taking),
        (None, 0, true)
    );
    assert_eq!(
        health.last_error.as_deref(),
        Some("the job store failed: the cable is out")
    );
    faults.set(false);
    let back = Instant::now();
    reaches(&queue, &id, State::Completed).await;
    assert!(back.elapsed() < RESUMES_WITHIN);
    let health = worker.health();
    assert_eq!((health.failures, health.concurrency), (0, 1));
    assert!(health.last_fetch.is_some());
    worker.stop(Duration::ZERO).await;
    assert!(!worker.health().taking);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_12_an_ending_is_told_again_until_the_engine_is_back_and_the_job_runs_once() {
    let (_engine, faults, queue, _folder) = open_flaky();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    faults.finish.store(true, Ordering::SeqCst);
    let id = queue.add("n", &1).await.unwrap().id;
    let worker = Worker::builder(queue.clone()).start(move |_: Job<u32>| {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        async move { Ok::<_, JobError>(run) }
    });
    faults.refused(4).await;
    assert_eq!(
        queue.get(&id).await.unwrap().unwrap().state,
        State::Active,
        "held until it is told"
    );
    faults.set(false);
    let back = Instant::now();
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert!(back.elapsed() < RESUMES_WITHIN);
    worker.stop(Duration::ZERO).await;
    assert_eq!(
        (runs.load(Ordering::SeqCst), snapshot.result.unwrap().get()),
        (1, "0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_12_an_ending_nobody_takes_is_given_up_with_the_lease_and_the_job_runs_again() {
    let (engine, faults, queue, _folder) = open_flaky();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    faults.finish.store(true, Ordering::SeqCst);
    let id = queue.add("n", &1).await.unwrap().id;
    // Long enough that a busy machine tells the second ending in time.
    let worker = Worker::builder(queue.clone())
        .lease(Duration::from_secs(1))
        .start(move |_: Job<u32>| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move { Ok::<_, JobError>(run) }
        });
    // The engine's own upkeep may have been faster than this look.
    until(|| runs.load(Ordering::SeqCst) >= 1).await;
    // Given up: nothing renews the lease any more, though renewals would work.
    while runs.load(Ordering::SeqCst) < 2 {
        engine.sweep().await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    faults.set(false);
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert!(snapshot.stalls >= 1);
    worker.stop(Duration::ZERO).await;
    assert_eq!(worker.active(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_12_failed_renewals_are_made_up_for_when_the_engine_is_back() {
    // The engine's clock stands still, so that the lease outlives a slow machine.
    let store = Store::new();
    let (engine, faults) = Flaky::wrap(&store.engine);
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let id = queue.add("n", &1).await.unwrap().id;
    let worker = Worker::builder(queue.clone())
        .lease(Duration::from_millis(300))
        .start(move |job: Job<u32>| {
            let gate = Arc::clone(&opened);
            async move {
                gate.acquire().await.unwrap().forget();
                assert_eq!(job.cancel_reason(), None);
                Ok::<_, JobError>(())
            }
        });
    faults.renew.store(true, Ordering::SeqCst);
    until(|| worker.active() == 1).await;
    faults.refused(2).await;
    until(|| worker.health().failures >= 2).await;
    let before = queue.get(&id).await.unwrap().unwrap().lease_until;
    store.clock.advance(Duration::from_millis(100));
    faults.renew.store(false, Ordering::SeqCst);
    while queue.get(&id).await.unwrap().unwrap().lease_until == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gate.add_permits(1);
    reaches(&queue, &id, State::Completed).await;
    assert_eq!(worker.health().failures, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn endings_of_about_the_same_time_go_in_one_call_and_a_lone_one_goes_at_once() {
    let (_engine, faults, queue, _folder) = open_flaky();
    let (tell, mut heard) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let worker = Worker::builder(queue.clone())
        .concurrency(64)
        .start(move |_: Job<u32>| {
            let gate = Arc::clone(&opened);
            tell.send(()).unwrap();
            async move {
                gate.acquire().await.unwrap().forget();
                Ok::<_, JobError>(())
            }
        });
    let id = queue.add("n", &0).await.unwrap().id;
    hear(&mut heard).await;
    gate.add_permits(1);
    reaches(&queue, &id, State::Completed).await;
    assert_eq!(faults.finishes.load(Ordering::SeqCst), 1);
    let numbers: Vec<u32> = (0..64).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    queue.add_bulk(jobs).await.unwrap();
    for _ in 0..64 {
        hear(&mut heard).await;
    }
    gate.add_permits(64);
    until(|| worker.active() == 0).await;
    assert_eq!(faults.endings.load(Ordering::SeqCst), 65);
    let calls = faults.finishes.load(Ordering::SeqCst);
    assert!(calls < 33, "{calls} calls for 65 endings");
}
