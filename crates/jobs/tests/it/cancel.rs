//! Attempts that are to be given up: timeouts, requests, lost leases, and handlers that do not react.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use paceline_jobs::{
    CancelReason, Flow, Job, JobError, JobOptions, LeaseError, Outcome, Page, Queue, Shutdown,
    State, Worker,
};
use tokio::sync::mpsc;

use crate::flaky::Flaky;
use crate::store::{Store, open};
use crate::workbench::{hear, reaches, until};

const SHORT: Duration = Duration::from_millis(50);

/// Tells when it is dropped.
struct Telltale(mpsc::UnboundedSender<&'static str>);

impl Drop for Telltale {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_tells_the_handler_and_fails_the_attempt_to_be_retried() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let options = JobOptions::new().attempts(2).timeout(SHORT);
    let id = queue.add_with("n", &1, options).await.unwrap().id;
    let worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        assert_eq!(job.timeout(), Some(SHORT));
        if job.attempt() == 2 {
            return Ok("done");
        }
        job.cancelled().await;
        assert_eq!(job.cancel_reason(), Some(CancelReason::Timeout));
        Err(JobError::retryable("half-way"))
    });
    let snapshot = reaches(&queue, &id, State::Completed).await;
    worker.stop(Duration::ZERO).await;
    assert_eq!(
        snapshot.attempts[0].error.as_deref(),
        Some("the attempt took longer than its timeout of 50ms: half-way")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_does_not_react_to_its_timeout_is_dropped() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone())
        .timeout(SHORT)
        .start(move |_: Job<u32>| {
            let told = Telltale(tell.clone());
            async move {
                let _told = told;
                std::future::pending::<Result<(), JobError>>().await
            }
        });
    let snapshot = reaches(&queue, &id, State::Failed).await;
    assert_eq!(hear(&mut heard).await, "dropped");
    assert_eq!(
        snapshot.failed_reason.as_deref(),
        Some("the attempt took longer than its timeout of 50ms")
    );
    assert_eq!(snapshot.attempts_made, 1);
    until(|| worker.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_completes_after_its_timeout_has_completed() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let options = JobOptions::new().timeout(SHORT);
    let id = queue.add_with("n", &1, options).await.unwrap().id;
    let _worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        job.cancelled().await;
        Ok::<_, JobError>("just so")
    });
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert_eq!(snapshot.result.unwrap().get(), "\"just so\"");
}

/// Runs one job that spins until it is let go, next to one that does not, with one place.
async fn spins(start: impl FnOnce(Queue<u32>, Arc<AtomicBool>) -> Worker) {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let let_go = Arc::new(AtomicBool::new(false));
    let spinning = queue.add("n", &1).await.unwrap().id;
    let worker = start(queue.clone(), Arc::clone(&let_go));
    let snapshot = reaches(&queue, &spinning, State::Failed).await;
    assert_eq!(
        (snapshot.attempts_made, snapshot.stalls),
        (1, 0),
        "the attempt counts"
    );
    assert!(snapshot.failed_reason.unwrap().contains("timeout of 50ms"));
    let next = queue.add("n", &2).await.unwrap().id;
    let stopped = tokio::time::timeout(
        Duration::from_millis(300),
        reaches(&queue, &next, State::Completed),
    );
    assert!(
        stopped.await.is_err(),
        "the place is taken while the thread spins"
    );
    let_go.store(true, Ordering::SeqCst);
    reaches(&queue, &next, State::Completed).await;
    let stopped = worker.stop(Duration::from_secs(5)).await;
    assert_eq!((stopped.handed_back, stopped.abandoned), (0, 0));
    let snapshot = queue.get(&spinning).await.unwrap().unwrap();
    assert_eq!(
        snapshot.state,
        State::Failed,
        "what the handler said at last does not count"
    );
}

fn spin(job: &Job<u32>, let_go: &AtomicBool) {
    while *job.data() == 1 && !let_go.load(Ordering::SeqCst) {
        std::hint::spin_loop();
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_10_an_endless_loop_in_a_blocking_handler_fails_at_its_timeout_and_keeps_its_place() {
    spins(|queue, let_go| {
        Worker::builder(queue)
            .timeout(SHORT)
            .start_blocking(move |job: Job<u32>| {
                spin(&job, &let_go);
                Ok::<_, JobError>(())
            })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trap_10_an_endless_loop_in_an_async_handler_fails_at_its_timeout_and_keeps_its_place() {
    spins(|queue, let_go| {
        Worker::builder(queue)
            .timeout(SHORT)
            .start(move |job: Job<u32>| {
                let let_go = Arc::clone(&let_go);
                async move {
                    spin(&job, &let_go);
                    Ok::<_, JobError>(())
                }
            })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requested_cancellation_reaches_the_handler_and_fails_the_job_for_good() {
    let (inner, _folder) = open();
    let (engine, faults) = Flaky::wrap(&inner);
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let several = || JobOptions::new().attempts(5);
    let stubborn = queue.add_with("n", &1, several()).await.unwrap().id;
    let polite = queue.add_with("n", &2, several()).await.unwrap().id;
    let ready = queue.add_with("n", &3, several()).await.unwrap().id;
    let later = queue.add_with("n", &4, several()).await.unwrap().id;
    let worker = Worker::builder(queue.clone())
        .concurrency(4)
        .lease(Duration::from_millis(300))
        .start(|job: Job<u32>| async move {
            job.cancelled().await;
            assert_eq!(job.cancel_reason(), Some(CancelReason::Requested));
            match job.data() {
                1 => std::future::pending().await,
                2 => Err(JobError::retryable("undone")),
                3 => Ok(Outcome::Completed(())),
                _ => Ok(Outcome::Postponed(SHORT)),
            }
        });
    until(|| worker.active() == 4).await;
    faults.cancel.store(true, Ordering::SeqCst);
    for (id, state, reason) in [
        (&ready, State::Completed, None),
        (&polite, State::Failed, Some("cancelled: undone")),
        (&later, State::Failed, Some("cancelled")),
        (&stubborn, State::Failed, Some("cancelled")),
    ] {
        let snapshot = reaches(&queue, id, state).await;
        assert_eq!(snapshot.failed_reason.as_deref(), reason);
        assert_eq!(snapshot.attempts_made, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_11_a_holder_that_was_frozen_past_its_lease_is_cancelled_and_refused() {
    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let runs = Arc::new(AtomicU32::new(0));
    let lease = Duration::from_millis(300);
    let handler = move |job: Job<u32>| {
        let (tell, run) = (tell.clone(), runs.fetch_add(1, Ordering::SeqCst));
        async move {
            if run > 0 {
                return Ok::<_, JobError>("second");
            }
            tell.send("began").unwrap();
            job.cancelled().await;
            assert_eq!(job.cancel_reason(), Some(CancelReason::LeaseLost));
            let refused = job.progress(&99).await;
            assert!(matches!(refused, Err(LeaseError::LeaseLost)), "{refused:?}");
            tell.send("refused").unwrap();
            Ok("first")
        }
    };
    let first = Worker::builder(queue.clone())
        .lease(lease)
        .start(handler.clone());
    assert_eq!(hear(&mut heard).await, "began");
    // To the first holder, time went by in one piece. A renewal may come between: then once more.
    let other = store.second();
    loop {
        store.clock.advance(lease * 2);
        if other.sweep().await.unwrap().recovered == 1 {
            break;
        }
    }
    let second = Worker::builder(queue.clone()).lease(lease).start(handler);
    assert_eq!(hear(&mut heard).await, "refused");
    let snapshot = reaches(&queue, &id, State::Completed).await;
    first.stop(Duration::from_secs(5)).await;
    second.stop(Duration::from_secs(5)).await;
    assert_eq!(snapshot.result.unwrap().get(), "\"second\"");
    assert_eq!((snapshot.attempts_made, snapshot.stalls), (1, 1));
    assert!(snapshot.progress.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_reaches_a_worker_of_this_process_at_once() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let options = JobOptions::new().attempts(5);
    let id = queue.add_with("n", &1, options).await.unwrap().id;
    let (tell, mut heard) = mpsc::unbounded_channel();
    // The next renewal is far away.
    let worker = Worker::builder(queue.clone())
        .lease(Duration::from_hours(1))
        .start(move |job: Job<u32>| {
            tell.send("began").unwrap();
            async move {
                job.cancelled().await;
                Err::<(), _>(JobError::retryable("undone"))
            }
        });
    assert_eq!(hear(&mut heard).await, "began");
    queue.cancel(&id).await.unwrap();
    let snapshot = reaches(&queue, &id, State::Failed).await;
    assert!(snapshot.failed_reason.unwrap().contains("cancelled"));
    assert_eq!(snapshot.attempts_made, 1);
    worker.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_adds_children_waits_for_them_and_logs() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("parent", &3).await.unwrap().id;
    let worker = Worker::builder(queue.clone()).start(|job: Job<u32>| async move {
        if job.name() == "child" {
            assert!(job.parent().is_some());
            return Ok(Outcome::Completed(job.data() * 10));
        }
        if job.start() == 1 {
            job.log("divided").await?;
            let child = |number| Flow::new("q", "child", &number, JobOptions::new());
            let children = (0..*job.data()).map(child).collect::<Result<_, _>>()?;
            assert_eq!(job.add_children(children).await?.len(), 3);
            return Ok(Outcome::WaitForChildren);
        }
        let children = job.children().await?;
        let sum = children
            .completed
            .iter()
            .map(|(_, result)| serde_json::from_str::<u32>(result.get()));
        let sum: u32 = sum.collect::<Result<Vec<_>, _>>()?.iter().sum();
        Ok::<_, JobError>(Outcome::Completed(sum))
    });
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert_eq!(snapshot.result.unwrap().get(), "30");
    assert_eq!(snapshot.attempts_made, 1);
    assert_eq!(
        queue.logs(&id, Page::default()).await.unwrap().lines,
        ["divided"]
    );
    worker.stop(Duration::ZERO).await;
}
