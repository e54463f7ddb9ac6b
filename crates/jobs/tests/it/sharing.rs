//! Two engines on one file, as two processes open it.

use std::collections::HashSet;
use std::time::Duration;

use paceline_jobs::{
    EngineHandle, Job, JobError, LeaseToken, Queue, Shutdown, SqliteEngine, Worker,
};
use tokio::sync::mpsc;

use crate::store::{Store, claim};

#[tokio::test(flavor = "multi_thread")]
async fn both_write_under_load_and_no_caller_sees_a_lock() {
    let store = Store::new();
    let second = store.second();
    let add = |engine: EngineHandle, from: u32| async move {
        let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
        let mut ids = Vec::new();
        for number in from..from + 100 {
            ids.push(queue.add("n", &number).await.unwrap().id);
        }
        ids
    };
    let first = tokio::spawn(add(store.engine.clone(), 0));
    let other = tokio::spawn(add(second.clone(), 1000));
    let ids: HashSet<_> = first
        .await
        .unwrap()
        .into_iter()
        .chain(other.await.unwrap())
        .collect();
    assert_eq!(ids.len(), 200);
    let one = claim(&store.engine, "q", &LeaseToken::random(), 150).await;
    let two = claim(&second, "q", &LeaseToken::random(), 150).await;
    let claimed: HashSet<_> = one
        .iter()
        .chain(&two)
        .map(|job| job.lease.id.clone())
        .collect();
    assert_eq!(
        (claimed.len(), one.len() + two.len()),
        (200, 200),
        "each job has one holder"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_sees_what_the_other_process_adds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let worker_side = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let producer_side = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let (told, mut heard) = mpsc::unbounded_channel();
    let queue: Queue<u32> = Queue::new(&worker_side, "q").unwrap();
    // The poll bound is far away: only the other process's commit can wake the worker.
    let worker =
        Worker::builder(queue)
            .poll(Duration::from_mins(10))
            .start(move |job: Job<u32>| {
                let told = told.clone();
                async move {
                    told.send(*job.data()).unwrap();
                    Ok::<_, JobError>(())
                }
            });
    let queue: Queue<u32> = Queue::new(&producer_side, "q").unwrap();
    for number in 0..20 {
        queue.add("n", &number).await.unwrap();
        let seen = tokio::time::timeout(Duration::from_secs(20), heard.recv()).await;
        assert_eq!(seen.expect("in time"), Some(number));
    }
    worker.stop(Duration::ZERO).await;
}
