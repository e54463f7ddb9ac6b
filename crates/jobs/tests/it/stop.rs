//! Stopping workers: grace, cancellation, giving back, and those that cannot be ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use paceline_jobs::{
    CancelReason, Job, JobError, JobOptions, Queue, Shutdown, SqliteOptions, State, Worker,
};
use tokio::sync::mpsc;

use crate::store::open;
use crate::workbench::{hear, reaches, until};

const LONG: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread")]
async fn trap_20_jobs_longer_than_the_grace_are_given_back_without_an_attempt() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let numbers: Vec<u32> = (0..6).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    let added = queue.add_bulk(jobs).await.unwrap();
    let (tell, mut heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone())
        .concurrency(5)
        .start(move |job: Job<u32>| {
            tell.send(()).unwrap();
            async move {
                if *job.data() == 0 {
                    return Ok("within the grace");
                }
                if *job.data() == 1 {
                    std::future::pending::<()>().await;
                }
                job.cancelled().await;
                assert_eq!(job.cancel_reason(), Some(CancelReason::Stopping));
                match job.data() {
                    2 => Err(JobError::retryable("half-way")),
                    3 => Err(JobError::unrecoverable("never")),
                    _ => Ok("at the last moment"),
                }
            }
        });
    for _ in 0..6 {
        hear(&mut heard).await;
    }
    let stopped = worker.stop(Duration::from_millis(10)).await;
    // That the first one ended may be stored before or after the stop begins.
    assert!(
        matches!(
            (stopped.finished, stopped.handed_back, stopped.abandoned),
            (3 | 4, 2, 0)
        ),
        "{stopped:?}"
    );
    for (number, state, attempts) in [
        (0, State::Completed, 1),
        (1, State::Waiting, 0),
        (2, State::Waiting, 0),
        (3, State::Failed, 1),
        (4, State::Completed, 1),
        (5, State::Completed, 1),
    ] {
        let snapshot = queue.get(&added[number].id).await.unwrap().unwrap();
        assert_eq!(
            (snapshot.state, snapshot.attempts_made, snapshot.stalls),
            (state, attempts, 0),
            "job {number}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_20_a_second_stop_without_grace_cuts_the_first_ones_short() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    let worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        job.cancelled().await;
        Err::<(), _>(JobError::retryable("given up"))
    });
    until(|| worker.active() == 1).await;
    let began = Instant::now();
    let (first, second) = tokio::join!(worker.stop(LONG), async {
        until(|| !worker.health().taking).await;
        worker.stop(Duration::ZERO).await
    });
    assert!(began.elapsed() < Duration::from_secs(30));
    for stopped in [first, second] {
        assert_eq!((stopped.handed_back, stopped.abandoned), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_handler_that_ignores_the_stop_is_abandoned_and_its_lease_ends() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("jobs.db"));
    let engine = paceline_jobs::EngineHandle::from(options.open().unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let let_go = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&let_go);
    let worker = Worker::builder(queue.clone())
        .lease(Duration::from_millis(300))
        .start_blocking(move |_: Job<u32>| {
            while !told.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            Ok::<_, JobError>(())
        });
    until(|| worker.active() == 1).await;
    let stopped = worker.stop(Duration::ZERO).await;
    assert_eq!(
        (stopped.finished, stopped.handed_back, stopped.abandoned),
        (0, 0, 1)
    );
    assert!(stopped.took < Duration::from_secs(10));
    // The code still runs, so it was not given back; its lease is not renewed any more.
    while engine.sweep().await.unwrap().recovered == 0 {
        if queue.get(&id).await.unwrap().unwrap().state == State::Waiting {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let_go.store(true, Ordering::SeqCst);
    let snapshot = reaches(&queue, &id, State::Waiting).await;
    assert_eq!((snapshot.attempts_made, snapshot.stalls), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_the_engine_is_away_ends_in_bounded_time_and_tells_what_is_left() {
    let (inner, _folder) = open();
    let (engine, faults) = crate::flaky::Flaky::wrap(&inner);
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    faults.finish.store(true, Ordering::SeqCst);
    let worker =
        Worker::builder(queue.clone()).start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
    faults.refused(1).await;
    let stopped = worker.stop(Duration::from_millis(10)).await;
    assert_eq!((stopped.finished, stopped.abandoned), (0, 1));
    assert!(stopped.took < Duration::from_secs(10));
}
