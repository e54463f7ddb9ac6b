//! Handlers that get several jobs at once.

use std::time::Duration;

use paceline_jobs::{Job, JobError, JobId, JobOptions, Outcome, Queue, Shutdown, State, Worker};
use tokio::sync::mpsc;

use crate::store::open;
use crate::workbench::{hear, reaches, until};

const LONG: Duration = Duration::from_mins(10);

async fn add(queue: &Queue<u32>, payloads: impl IntoIterator<Item = u32>) -> Vec<JobId> {
    let payloads: Vec<u32> = payloads.into_iter().collect();
    let jobs = payloads
        .iter()
        .map(|payload| ("n", payload, JobOptions::new()));
    let added = queue.add_bulk(jobs).await.unwrap();
    added.into_iter().map(|added| added.id).collect()
}

fn payloads(jobs: &[Job<u32>]) -> Vec<u32> {
    jobs.iter().map(|job| *job.data()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_job_of_a_batch_ends_on_its_own() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let bad = serde_json::value::to_raw_value("not a number").unwrap();
    let bad = engine.queue("q").unwrap().add("n", &bad).await.unwrap().id;
    let ids = add(&queue, 0..3).await;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone())
        .batch(10, 1, LONG)
        .start_batch(move |jobs: Vec<Job<u32>>| {
            tell.send(payloads(&jobs)).unwrap();
            async move {
                let each = jobs.iter().map(|job| match job.data() {
                    0 => Ok(Outcome::Completed("stored")),
                    1 => Err(JobError::unrecoverable("refused")),
                    _ => Ok(Outcome::Postponed(LONG)),
                });
                Ok(each.collect())
            }
        });
    assert_eq!(hear(&mut heard).await, [0, 1, 2], "what decodes, in order");
    let stored = reaches(&queue, &ids[0], State::Completed).await;
    assert_eq!(stored.result.unwrap().get(), "\"stored\"");
    let refused = reaches(&queue, &ids[1], State::Failed).await;
    assert_eq!(refused.failed_reason.as_deref(), Some("refused"));
    reaches(&queue, &ids[2], State::Delayed).await;
    let undecoded = reaches(&queue, &bad, State::Failed).await;
    assert!(undecoded.failed_reason.unwrap().contains("does not decode"));
    until(|| worker.active() == 0).await;
}

/// What each job of a batch of three fails with.
async fn fails<F, R>(handler: F) -> Vec<String>
where
    F: Fn(Vec<Job<u32>>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Result<(), JobError>>, JobError>> + Send + 'static,
{
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let ids = add(&queue, 0..3).await;
    let _worker = Worker::builder(queue.clone())
        .batch(3, 3, LONG)
        .start_batch(handler);
    let mut reasons = Vec::new();
    for id in &ids {
        let snapshot = reaches(&queue, id, State::Failed).await;
        reasons.push(snapshot.failed_reason.unwrap());
    }
    reasons
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_a_panic_and_a_wrong_number_of_outcomes_fail_the_whole_batch() {
    let error = fails(|_| async { Err(JobError::retryable("all of it")) }).await;
    assert_eq!(error, ["all of it"; 3]);
    let panic = fails(|jobs| async move { panic!("{} jobs", jobs.len()) }).await;
    assert_eq!(panic, ["the handler panicked: 3 jobs"; 3]);
    let few = fails(|_| async { Ok(vec![Ok(()), Ok(())]) }).await;
    assert_eq!(
        few,
        ["the handler answered 2 outcomes for a batch of 3 jobs"; 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_batch_waits_for_company_and_a_large_one_is_cut() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (tell, mut heard) = mpsc::unbounded_channel();
    let worker = Worker::builder(queue.clone())
        .batch(4, 3, LONG)
        .start_batch(move |jobs: Vec<Job<u32>>| {
            tell.send(payloads(&jobs)).unwrap();
            async move { Ok(jobs.iter().map(|_| Ok::<_, JobError>(())).collect()) }
        });
    add(&queue, 0..2).await;
    until(|| worker.active() == 2).await;
    assert!(heard.try_recv().is_err(), "two are not enough");
    add(&queue, 2..3).await;
    assert_eq!(hear(&mut heard).await, [0, 1, 2]);
    until(|| worker.active() == 0).await;
    add(&queue, 3..12).await;
    assert_eq!(hear(&mut heard).await, [3, 4, 5, 6]);
    assert_eq!(hear(&mut heard).await, [7, 8, 9, 10]);
    until(|| worker.active() == 1).await;
    assert!(heard.try_recv().is_err(), "one is not enough");
    let stopped = worker.stop(LONG).await;
    assert_eq!((stopped.handed_back, stopped.abandoned), (1, 0));
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.waiting, counts.completed), (1, 11));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_batch_waits_no_longer_than_it_was_told_to() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (tell, mut heard) = mpsc::unbounded_channel();
    // The poll bound is far away: only the wait of the batch starts it.
    let _worker = Worker::builder(queue.clone())
        .poll(LONG)
        .batch(10, 10, Duration::from_millis(100))
        .start_batch(move |jobs: Vec<Job<u32>>| {
            tell.send(jobs.len()).unwrap();
            async move { Ok(jobs.iter().map(|_| Ok::<_, JobError>(())).collect()) }
        });
    add(&queue, 0..2).await;
    assert_eq!(hear(&mut heard).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_batches_run_at_once_as_the_concurrency_says() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (tell, mut heard) = mpsc::unbounded_channel();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let opened = std::sync::Arc::clone(&gate);
    let worker = Worker::builder(queue.clone())
        .concurrency(2)
        .batch(3, 1, LONG)
        .start_batch(move |jobs: Vec<Job<u32>>| {
            tell.send(jobs.len()).unwrap();
            let gate = std::sync::Arc::clone(&opened);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(jobs.iter().map(|_| Ok::<_, JobError>(())).collect())
            }
        });
    add(&queue, 0..9).await;
    assert_eq!((hear(&mut heard).await, hear(&mut heard).await), (3, 3));
    assert_eq!(worker.active(), 6);
    assert!(heard.try_recv().is_err(), "two batches run");
    gate.add_permits(1);
    assert_eq!(hear(&mut heard).await, 3);
    gate.add_permits(2);
    until(|| worker.active() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_batch_that_is_too_late_fails_alone() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let short = JobOptions::new().timeout(Duration::from_millis(50));
    let jobs = [("n", &0, short), ("n", &1, JobOptions::new())];
    let added = queue.add_bulk(jobs).await.unwrap();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let opened = std::sync::Arc::clone(&gate);
    let _worker = Worker::builder(queue.clone())
        .batch(2, 2, LONG)
        .start_batch(move |jobs: Vec<Job<u32>>| {
            let gate = std::sync::Arc::clone(&opened);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(jobs.iter().map(|_| Ok::<_, JobError>(())).collect())
            }
        });
    let late = reaches(&queue, &added[0].id, State::Failed).await;
    assert!(late.failed_reason.unwrap().contains("timeout of 50ms"));
    gate.add_permits(1);
    reaches(&queue, &added[1].id, State::Completed).await;
    let late = queue.get(&added[0].id).await.unwrap().unwrap();
    assert_eq!(late.state, State::Failed);
}
