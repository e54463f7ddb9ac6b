//! Handlers composed with tower's layers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use paceline_jobs::{Job, JobError, JobOptions, Queue, Shutdown, State, Worker, handler_fn};
use tokio::sync::{mpsc, watch};
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower::{Service, ServiceBuilder};

use crate::store::open;
use crate::workbench::{hear, reaches, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_ends_an_attempt_and_errors_pass_through_it_unchanged() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let twice = || JobOptions::new().attempts(2);
    let slow = queue.add_with("n", &1, twice()).await.unwrap().id;
    let refused = queue.add_with("n", &2, twice()).await.unwrap().id;
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_millis(50)))
        .service(handler_fn(|job: Job<u32>| async move {
            match (job.data(), job.attempt()) {
                (1, 1) => std::future::pending().await,
                (1, _) => Ok("second"),
                _ => Err(JobError::unrecoverable("never")),
            }
        }));
    let _worker = Worker::builder(queue.clone())
        .concurrency(2)
        .start_service(service);
    let slow = reaches(&queue, &slow, State::Completed).await;
    assert_eq!(slow.attempts[0].error.as_deref(), Some("request timed out"));
    let refused = reaches(&queue, &refused, State::Failed).await;
    assert_eq!(
        (refused.failed_reason.as_deref(), refused.attempts_made),
        (Some("never"), 1),
        "still unrecoverable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_below_the_concurrency_holds() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let numbers: Vec<u32> = (0..50).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    queue.add_bulk(jobs).await.unwrap();
    let (running, peak) = (Arc::clone(&now), Arc::clone(&most));
    let service = ServiceBuilder::new()
        .layer(ConcurrencyLimitLayer::new(2))
        .service(handler_fn(move |_: Job<u32>| {
            let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
            async move {
                peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, JobError>(())
            }
        }));
    let worker = Worker::builder(queue.clone())
        .concurrency(8)
        .start_service(service);
    while queue.info().await.unwrap().unwrap().counts.completed < 50 {
        until(|| worker.active() == 0).await;
    }
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

/// Ready once it is opened; fails if it is called before.
#[derive(Clone)]
struct Gated {
    open: watch::Receiver<bool>,
    waiting: mpsc::UnboundedSender<()>,
    ready: bool,
}

impl Service<Job<u32>> for Gated {
    type Response = &'static str;
    type Error = JobError;
    type Future = std::future::Ready<Result<&'static str, JobError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), JobError>> {
        let _ = self.waiting.send(());
        let mut open = self.open.clone();
        let waits = std::pin::pin!(open.wait_for(|open| *open));
        let ready = waits.poll(cx).is_ready();
        self.ready = ready;
        if ready {
            return Poll::Ready(Ok(()));
        }
        // The future that noted the waker is gone with this call: look again.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Job<u32>) -> Self::Future {
        std::future::ready(if self.ready {
            Ok("ready")
        } else {
            Err(JobError::unrecoverable("called before it was ready"))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_once_its_service_is_ready() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = queue.add("n", &1).await.unwrap().id;
    let (opener, open) = watch::channel(false);
    let (waiting, mut waits) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone()).start_service(Gated {
        open,
        waiting,
        ready: false,
    });
    hear(&mut waits).await;
    assert_eq!(
        queue.get(&id).await.unwrap().unwrap().state,
        State::Active,
        "it holds its place"
    );
    opener.send(true).unwrap();
    let snapshot = reaches(&queue, &id, State::Completed).await;
    assert_eq!(snapshot.result.unwrap().get(), "\"ready\"");
    worker.stop(Duration::ZERO).await;
}
