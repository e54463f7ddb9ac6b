//! Workers on a real engine and the real clock. Runs once for each engine: `super::open` gives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use paceline_jobs::{
    Backoff, Job, JobError, JobEventKind, JobOptions, Outcome, Queue, Received, Shutdown, State,
    Worker,
};
use tokio::sync::mpsc;

use super::open;
use crate::workbench::{hear, reaches, until};

#[tokio::test(flavor = "multi_thread")]
async fn every_job_is_run_once_by_concurrent_workers() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (told, mut heard) = mpsc::unbounded_channel();
    let handler = move |job: Job<u32>| {
        let told = told.clone();
        async move {
            told.send(*job.data()).unwrap();
            Ok::<_, JobError>(())
        }
    };
    let workers: Vec<Worker> = (0..3)
        .map(|_| {
            Worker::builder(queue.clone())
                .concurrency(8)
                .start(handler.clone())
        })
        .collect();
    let numbers: Vec<u32> = (0..500).collect();
    queue
        .add_bulk(
            numbers
                .iter()
                .map(|number| ("n", number, JobOptions::new())),
        )
        .await
        .unwrap();
    let mut seen = Vec::new();
    while seen.len() < 500 {
        seen.push(
            tokio::time::timeout(Duration::from_secs(20), heard.recv())
                .await
                .unwrap()
                .unwrap(),
        );
    }
    for worker in workers {
        let stopped = worker.stop(Duration::from_secs(10)).await;
        assert_eq!((stopped.handed_back, stopped.abandoned), (0, 0));
        assert!(worker.last_fetch().is_some());
    }
    seen.sort_unstable();
    assert_eq!(seen, numbers);
    assert_eq!(queue.info().await.unwrap().unwrap().counts.completed, 500);
    assert!(heard.try_recv().is_err(), "no job ran twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_the_attempt_and_frees_the_slot() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue
        .add_with("n", &1, JobOptions::new().attempts(2))
        .await
        .unwrap()
        .id;
    let worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        assert!(job.attempt() > 1, "the first attempt breaks");
        Ok::<_, JobError>("fine")
    });
    reaches(&queue, &id, State::Completed).await;
    worker.stop(Duration::ZERO).await;
    let snapshot = queue.get(&id).await.unwrap().unwrap();
    let error = snapshot.attempts[0].error.as_deref().unwrap();
    assert!(
        error.contains("panicked: the first attempt breaks"),
        "{error}"
    );
    assert_eq!(snapshot.result.unwrap().get(), "\"fine\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_does_not_decode_fails_and_is_kept() {
    let (engine, _folder) = open();
    let raw = engine.queue("q").unwrap();
    let payload = serde_json::value::to_raw_value("not a number").unwrap();
    let id = raw
        .add_with("n", &payload, JobOptions::new().attempts(5))
        .await
        .unwrap()
        .id;
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let worker =
        Worker::builder(queue.clone()).start(|_: Job<u32>| async { Ok::<_, JobError>(()) });
    reaches(&queue, &id, State::Failed).await;
    worker.stop(Duration::ZERO).await;
    let snapshot = queue.get(&id).await.unwrap().unwrap();
    assert_eq!(snapshot.data.get(), "\"not a number\"");
    assert!(snapshot.failed_reason.unwrap().contains("does not decode"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cancels_what_outlives_the_grace_and_gives_it_back() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let (tell_start, mut started) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone()).start(move |job: Job<u32>| {
        let tell_start = tell_start.clone();
        async move {
            tell_start.send(()).unwrap();
            job.cancelled().await;
            Err::<(), _>(JobError::retryable("given up"))
        }
    });
    started.recv().await.unwrap();
    let stopped = worker.stop(Duration::from_millis(10)).await;
    assert_eq!(
        (stopped.finished, stopped.handed_back, stopped.abandoned),
        (0, 1, 0)
    );
    let snapshot = queue.get(&id).await.unwrap().unwrap();
    assert_eq!(
        (snapshot.state, snapshot.attempts_made),
        (State::Waiting, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_ignores_the_stop_is_ended_and_its_job_given_back() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &1).await.unwrap();
    let (tell_start, mut started) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone()).start(move |_: Job<u32>| {
        let tell_start = tell_start.clone();
        async move {
            tell_start.send(()).unwrap();
            std::future::pending::<Result<(), JobError>>().await
        }
    });
    started.recv().await.unwrap();
    let stopped = worker.stop(Duration::ZERO).await;
    assert_eq!((stopped.handed_back, stopped.abandoned), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_blocks_its_thread_keeps_its_lease() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let lease = Duration::from_millis(400);
    let worker = Worker::builder(queue.clone())
        .lease(lease)
        .start(move |_: Job<u32>| {
            let counter = Arc::clone(&counter);
            async move {
                counter.fetch_add(1, Ordering::SeqCst);
                std::thread::park_timeout(lease * 8);
                Ok::<_, JobError>(())
            }
        });
    reaches(&queue, &id, State::Completed).await;
    worker.stop(Duration::ZERO).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_results_and_events_are_told() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let mut events = queue.events();
    let worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        job.progress(&50).await?;
        Ok::<_, JobError>(Outcome::Completed(job.data() + 1))
    });
    let id = queue.add("n", &41).await.unwrap().id;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&JobEventKind::Completed) {
        match tokio::time::timeout(Duration::from_secs(20), events.next())
            .await
            .unwrap()
            .unwrap()
        {
            Received::Event(event) => kinds.push(event.event),
            lost => panic!("{lost:?}"),
        }
    }
    worker.stop(Duration::ZERO).await;
    let expected = [
        JobEventKind::Added,
        JobEventKind::Active,
        JobEventKind::Progress,
        JobEventKind::Completed,
    ];
    assert_eq!(kinds, expected);
    let snapshot = queue.get(&id).await.unwrap().unwrap();
    assert_eq!(snapshot.result.unwrap().get(), "42");
    assert_eq!(snapshot.progress.unwrap().get(), "50");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_concurrency_can_be_changed_while_jobs_run() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let numbers: Vec<u32> = (0..6).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    queue.add_bulk(jobs).await.unwrap();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let (tell, mut heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone()).start(move |_: Job<u32>| {
        let gate = Arc::clone(&opened);
        tell.send(()).unwrap();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok::<_, JobError>(())
        }
    });
    hear(&mut heard).await;
    assert_eq!((worker.active(), worker.concurrency()), (1, 1));
    worker.set_concurrency(3);
    hear(&mut heard).await;
    hear(&mut heard).await;
    assert_eq!((worker.active(), worker.health().concurrency), (3, 3));
    worker.set_concurrency(1);
    gate.add_permits(2);
    until(|| worker.active() == 1).await;
    assert!(heard.try_recv().is_err(), "two ended and none followed");
    gate.add_permits(1);
    hear(&mut heard).await;
    until(|| worker.active() == 1).await;
    gate.add_permits(3);
    until(|| worker.active() == 0).await;
    worker.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_before_another_attempt_is_the_errors_then_the_workers_then_the_jobs() {
    let (engine, _folder) = open();
    let queue: Queue<String> = Queue::new(&engine, "q").unwrap();
    let hour = Duration::from_hours(1);
    let worker = Worker::builder(queue.clone())
        .concurrency(4)
        .backoff(move |attempt, error| match error.to_string().as_str() {
            "job" => None,
            "panic" => panic!("the backoff breaks"),
            _ => Some(hour * 2 * attempt),
        })
        .start(move |job: Job<String>| async move {
            let error = JobError::retryable(job.data().clone());
            Err::<(), _>(match job.data().as_str() {
                "error" => error.retry_after(hour * 3),
                _ => error,
            })
        });
    for (payload, hours) in [("error", 3), ("worker", 2), ("job", 1), ("panic", 1)] {
        let options = JobOptions::new().attempts(2).backoff(Backoff::fixed(hour));
        let payload = payload.to_owned();
        let id = queue.add_with("n", &payload, options).await.unwrap().id;
        let snapshot = reaches(&queue, &id, State::Delayed).await;
        let ended = snapshot.attempts[0].ended_at.unwrap();
        let wait = snapshot.due_at.unwrap().saturating_since(ended);
        assert_eq!(wait, hour * hours, "{payload}");
    }
    worker.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_can_go_on_later_without_using_an_attempt() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let _worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        if job.start() < 3 {
            return Ok(Outcome::Postponed(Duration::from_millis(1)));
        }
        Ok::<_, JobError>(Outcome::Completed(job.attempt()))
    });
    let id = queue.add("n", &1).await.unwrap().id;
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert_eq!((snapshot.starts, snapshot.attempts_made), (3, 1));
    assert_eq!(snapshot.result.unwrap().get(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_10_a_panic_in_a_blocking_handler_fails_the_attempt_and_frees_the_slot() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let options = JobOptions::new().attempts(2);
    let id = queue.add_with("n", &1, options).await.unwrap().id;
    let worker = Worker::builder(queue.clone()).start_blocking(|job: Job<u32>| {
        assert!(job.attempt() > 1, "the first attempt breaks");
        Ok::<_, JobError>(())
    });
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert_eq!(
        snapshot.attempts[0].error.as_deref(),
        Some("the handler panicked: the first attempt breaks")
    );
    until(|| worker.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_handlers_run_at_the_same_time_up_to_the_concurrency() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let numbers: Vec<u32> = (0..9).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    queue.add_bulk(jobs).await.unwrap();
    // Each waits for two others: with fewer places at a time they would wait for ever.
    let meeting = std::sync::Barrier::new(3);
    let running = AtomicU32::new(0);
    let worker = Worker::builder(queue.clone())
        .concurrency(3)
        .start_blocking(move |_: Job<u32>| {
            assert!(running.fetch_add(1, Ordering::SeqCst) < 3);
            meeting.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, JobError>(())
        });
    while queue.info().await.unwrap().unwrap().counts.completed < 9 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.stop(Duration::ZERO).await;
}

#[test]
fn trap_10_a_blocked_runtime_does_not_lose_its_leases() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let lease = Duration::from_millis(400);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let ours = queue.clone();
    runtime().block_on(async move {
        let id = ours.add("n", &1).await.unwrap().id;
        let worker = Worker::builder(ours.clone())
            .lease(lease)
            .start(move |_: Job<u32>| {
                let counter = Arc::clone(&counter);
                async move {
                    counter.fetch_add(1, Ordering::SeqCst);
                    // The only thread of this runtime.
                    std::thread::park_timeout(lease * 5);
                    Ok::<_, JobError>(())
                }
            });
        let snapshot = reaches(&ours, &id, State::Completed).await;
        assert_eq!((snapshot.stalls, snapshot.starts), (0, 1));
        worker.stop(Duration::ZERO).await;
    });
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
