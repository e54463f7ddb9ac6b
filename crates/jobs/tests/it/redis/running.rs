//! A producer and a worker that go on while something happens to their server, and an account of both.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paceline_jobs::{
    EngineHandle, Job, JobError, JobId, JobOptions, Queue, Retention, Shutdown, State, Worker,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::workbench::BOUND;

/// Between two adds.
const BEAT: Duration = Duration::from_millis(4);
/// How soon a worker must go on once its server is back.
pub(crate) const RESUMES_WITHIN: Duration = Duration::from_secs(5);

/// What was said to the producer.
#[derive(Debug, Default)]
pub(crate) struct Produced {
    pub(crate) acknowledged: Vec<(JobId, u32, Instant)>,
    pub(crate) errors: Vec<String>,
    /// The longest wait for an answer.
    pub(crate) longest: Duration,
}

/// Both, running.
pub(crate) struct Running {
    queue: Queue<u32>,
    worker: Worker,
    ends: CancellationToken,
    producer: JoinHandle<Produced>,
    handled: Arc<Mutex<BTreeSet<u32>>>,
    count: watch::Receiver<usize>,
}

impl Running {
    pub(crate) fn start(engine: &EngineHandle, name: &str) -> Self {
        let queue: Queue<u32> = Queue::new(engine, name).unwrap();
        let handled = Arc::new(Mutex::new(BTreeSet::new()));
        let (counted, count) = watch::channel(0);
        let seen = Arc::clone(&handled);
        let worker = Worker::builder(queue.clone())
            .concurrency(4)
            .lease(Duration::from_secs(2))
            .start(move |job: Job<u32>| {
                seen.lock().unwrap().insert(*job.data());
                counted.send_modify(|count| *count += 1);
                async { Ok::<_, JobError>(()) }
            });
        let ends = CancellationToken::new();
        let producer = tokio::spawn(produce(queue.clone(), ends.clone()));
        Self {
            queue,
            worker,
            ends,
            producer,
            handled,
            count,
        }
    }

    /// Waits until so many more jobs were handled; gives how long that took.
    pub(crate) async fn handles(&mut self, more: usize) -> Duration {
        let began = Instant::now();
        let wanted = *self.count.borrow() + more;
        let reached = self.count.wait_for(|count| *count >= wanted);
        let reached = tokio::time::timeout(BOUND, reached).await;
        assert!(reached.is_ok(), "in time: {:?}", self.worker.health());
        began.elapsed()
    }

    /// Ends the producer, lets the worker work off what there is, and gives what the producer was told. Every
    /// acknowledged job was handled or is not there at all; gives when those were acknowledged, too.
    pub(crate) async fn settle(self) -> (Produced, Vec<Instant>) {
        self.ends.cancel();
        let produced = self.producer.await.unwrap();
        let mut lost = Vec::new();
        for (id, number, at) in &produced.acknowledged {
            let done = async {
                loop {
                    match self.queue.get(id).await.unwrap() {
                        None => return None,
                        Some(job) if job.state == State::Completed => return Some(()),
                        Some(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            };
            let done = tokio::time::timeout(BOUND, done).await;
            match done.unwrap_or_else(|_| panic!("{id} is done in time")) {
                Some(()) => assert!(self.handled.lock().unwrap().contains(number)),
                None => lost.push(*at),
            }
        }
        self.worker.stop(Duration::from_secs(5)).await;
        (produced, lost)
    }
}

async fn produce(queue: Queue<u32>, ends: CancellationToken) -> Produced {
    let mut produced = Produced::default();
    let mut number = 0;
    // All of them are counted at the end.
    let kept = JobOptions::new().keep_completed(Retention {
        count: u32::MAX,
        age: Duration::from_hours(1),
    });
    while !ends.is_cancelled() {
        let asked = Instant::now();
        match queue.add_with("n", &number, kept.clone()).await {
            Ok(added) => produced
                .acknowledged
                .push((added.id, number, Instant::now())),
            Err(error) => produced.errors.push(with_causes(&error)),
        }
        produced.longest = produced.longest.max(asked.elapsed());
        number += 1;
        tokio::time::sleep(BEAT).await;
    }
    produced
}

/// The error with its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
