//! What every engine must do, told one rule at a time. Runs once for each engine: `super::Store` is the engine.

use std::time::Duration;

use paceline_jobs::engine::{Ending, Renewal};
use paceline_jobs::{
    AddError, Backoff, Fingerprint, IdempotencyKey, JobId, JobOptions, LeaseError, LeaseToken,
    ManageError, Page, Queue, Retention, State,
};

use super::Store;
use crate::store::{LEASE, claim, completed, failed, finish};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

async fn state(queue: &Queue<u32>, id: &JobId) -> State {
    queue.get(id).await.unwrap().unwrap().state
}

/// Claims one after the other and gives the payloads in the order served.
async fn served(store: &Store) -> Vec<String> {
    let token = LeaseToken::random();
    let mut order = Vec::new();
    loop {
        let jobs = claim(&store.engine, "q", &token, 3).await;
        if jobs.is_empty() {
            return order;
        }
        for job in jobs {
            order.push(job.data.get().to_owned());
            finish(&store.engine, &job, completed()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn jobs_are_served_in_order_of_arrival_and_then_by_priority() {
    let store = Store::new();
    let queue = queue(&store);
    for (payload, priority) in [(1, 0), (2, 5), (3, 1), (4, 0), (5, 5), (6, 1)] {
        queue
            .add_with("n", &payload, JobOptions::new().priority(priority))
            .await
            .unwrap();
    }
    assert_eq!(served(&store).await, ["1", "4", "3", "6", "2", "5"]);
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.completed, counts.not_started()), (6, 0));
}

#[tokio::test]
async fn a_delayed_job_waits_for_its_time_and_can_be_promoted() {
    let store = Store::new();
    let queue = queue(&store);
    let delay = |seconds| JobOptions::new().delay(Duration::from_secs(seconds));
    let late = queue.add_with("n", &1, delay(60)).await.unwrap().id;
    queue.add_with("n", &2, delay(10)).await.unwrap();
    assert_eq!(state(&queue, &late).await, State::Delayed);
    assert!(served(&store).await.is_empty());
    store.pass(Duration::from_secs(10));
    assert_eq!(served(&store).await, ["2"]);
    queue.promote(&late).await.unwrap();
    assert_eq!(served(&store).await, ["1"]);
}

#[tokio::test]
async fn a_failure_is_retried_after_its_backoff_until_the_attempts_are_used() {
    let store = Store::new();
    let queue = queue(&store);
    let options = JobOptions::new()
        .attempts(3)
        .backoff(Backoff::exponential(Duration::from_secs(2)));
    let id = queue.add_with("n", &1, options).await.unwrap().id;
    let token = LeaseToken::random();
    for (attempt, wait) in [(1, 2), (2, 4)] {
        let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
        assert_eq!(job.attempt, attempt);
        assert_eq!(
            finish(&store.engine, &job, failed(true)).await.unwrap(),
            State::Delayed
        );
        store.pass(Duration::from_secs(wait).saturating_sub(Duration::from_millis(1)));
        assert!(
            claim(&store.engine, "q", &token, 1).await.is_empty(),
            "before its time"
        );
        store.pass(Duration::from_millis(1));
    }
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    assert_eq!(
        finish(&store.engine, &job, failed(true)).await.unwrap(),
        State::Failed
    );
    let snapshot = queue.get(&id).await.unwrap().unwrap();
    assert_eq!(snapshot.attempts_made, 3);
    assert_eq!(snapshot.attempts.len(), 3);
    assert_eq!(snapshot.failed_reason.as_deref(), Some("it broke"));
    queue.retry(&id).await.unwrap();
    assert_eq!(state(&queue, &id).await, State::Waiting);
}

#[tokio::test]
async fn an_unrecoverable_failure_uses_no_further_attempt() {
    let store = Store::new();
    let queue = queue(&store);
    queue
        .add_with("n", &1, JobOptions::new().attempts(9))
        .await
        .unwrap();
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    assert_eq!(
        finish(&store.engine, &job, failed(false)).await.unwrap(),
        State::Failed
    );
}

#[tokio::test]
async fn postponing_and_handing_back_count_no_attempt() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let token = LeaseToken::random();
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    let wait = Duration::from_secs(5);
    assert_eq!(
        finish(&store.engine, &job, Ending::Postponed(wait))
            .await
            .unwrap(),
        State::Delayed
    );
    store.pass(wait);
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    assert_eq!(
        finish(&store.engine, &job, Ending::HandedBack)
            .await
            .unwrap(),
        State::Waiting
    );
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    assert_eq!(job.attempt, 1);
    finish(&store.engine, &job, completed()).await.unwrap();
    assert_eq!(queue.get(&id).await.unwrap().unwrap().attempts_made, 1);
}

#[tokio::test]
async fn a_custom_id_gives_the_job_that_has_it() {
    let store = Store::new();
    let queue = queue(&store);
    let options = || JobOptions::new().id("order-17").unwrap();
    assert!(!queue.add_with("n", &1, options()).await.unwrap().existing);
    let again = queue.add_with("n", &2, options()).await.unwrap();
    assert!(again.existing);
    assert_eq!(queue.get(&again.id).await.unwrap().unwrap().data.get(), "1");
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_job_or_a_conflict_until_it_expires() {
    let store = Store::new();
    let queue = queue(&store);
    let key = |request: &[u8]| {
        JobOptions::new().idempotency(IdempotencyKey {
            key: "k".to_owned(),
            fingerprint: Fingerprint::of(request),
            hold: Duration::from_hours(24),
        })
    };
    let first = queue.add_with("n", &1, key(b"a")).await.unwrap();
    let again = queue.add_with("n", &1, key(b"a")).await.unwrap();
    assert_eq!((again.id.clone(), again.existing), (first.id.clone(), true));
    let other = queue.add_with("n", &2, key(b"b")).await;
    assert!(matches!(other, Err(AddError::IdempotencyConflict { job }) if job == first.id));
    store.pass(Duration::from_hours(24));
    assert_ne!(
        queue.add_with("n", &2, key(b"b")).await.unwrap().id,
        first.id
    );
}

#[tokio::test]
async fn adding_several_is_all_or_none() {
    let store = Store::new();
    let queue = queue(&store).max_waiting(2);
    let jobs = |numbers: &'static [u32]| {
        numbers
            .iter()
            .map(|number| ("n", number, JobOptions::new()))
    };
    let full = queue.add_bulk(jobs(&[1, 2, 3])).await;
    assert!(
        matches!(full, Err(AddError::QueueFull { max: 2, .. })),
        "{full:?}"
    );
    let info = queue.info().await.unwrap();
    assert_eq!(info.map_or(0, |info| info.counts.not_started()), 0);
    assert_eq!(queue.add_bulk(jobs(&[1, 2])).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_refused_neighbour_does_not_undo_an_add() {
    let store = Store::new();
    let small = queue(&store).max_waiting(1);
    let adds = futures_of(&small, 20).await;
    assert_eq!(adds.iter().filter(|added| added.is_ok()).count(), 1);
    assert_eq!(small.info().await.unwrap().unwrap().counts.not_started(), 1);
}

async fn futures_of(queue: &Queue<u32>, count: u32) -> Vec<Result<(), AddError>> {
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.add("n", &number).await.map(drop) })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test]
async fn a_paused_queue_gives_no_jobs() {
    let store = Store::new();
    let queue = queue(&store);
    queue.add("n", &1).await.unwrap();
    queue.pause().await.unwrap();
    assert!(served(&store).await.is_empty());
    assert!(queue.info().await.unwrap().unwrap().paused);
    queue.resume().await.unwrap();
    assert_eq!(served(&store).await, ["1"]);
}

#[tokio::test]
async fn a_lease_that_ended_frees_the_job_and_refuses_its_old_holder() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let (old, new) = (LeaseToken::random(), LeaseToken::random());
    let first = claim(&store.engine, "q", &old, 1).await.pop().unwrap();
    store.pass(LEASE.saturating_sub(Duration::from_secs(1)));
    assert_eq!(
        store
            .engine
            .renew(vec![first.lease.clone()], LEASE)
            .await
            .unwrap(),
        [Renewal::Held]
    );
    store.pass(LEASE + Duration::from_secs(1));
    assert_eq!(store.engine.sweep().await.unwrap().recovered, 1);
    let second = claim(&store.engine, "q", &new, 1).await.pop().unwrap();
    assert_eq!(second.attempt, 1, "a lost lease uses no attempt");
    assert!(matches!(
        finish(&store.engine, &first, completed()).await,
        Err(LeaseError::LeaseLost)
    ));
    assert_eq!(
        store.engine.renew(vec![first.lease], LEASE).await.unwrap(),
        [Renewal::Lost]
    );
    finish(&store.engine, &second, completed()).await.unwrap();
    assert_eq!(state(&queue, &id).await, State::Completed);
}

#[tokio::test]
async fn a_job_that_always_loses_its_lease_fails_with_a_reason() {
    let store = Store::with(|options| options.stall_limit(2));
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let token = LeaseToken::random();
    for _ in 0..3 {
        assert_eq!(claim(&store.engine, "q", &token, 1).await.len(), 1);
        store.pass(LEASE + Duration::from_secs(1));
        store.engine.sweep().await.unwrap();
    }
    let snapshot = queue.get(&id).await.unwrap().unwrap();
    assert_eq!(snapshot.state, State::Failed);
    assert!(snapshot.failed_reason.is_some(), "{snapshot:?}");
}

#[tokio::test]
async fn finished_jobs_are_kept_as_long_as_asked() {
    let store = Store::new();
    let queue = queue(&store);
    let keep = Retention {
        count: 2,
        age: Duration::from_hours(1),
    };
    for number in 0..5 {
        queue
            .add_with("n", &number, JobOptions::new().keep_completed(keep))
            .await
            .unwrap();
    }
    assert_eq!(served(&store).await.len(), 5);
    assert_eq!(queue.info().await.unwrap().unwrap().counts.completed, 2);
    store.pass(Duration::from_hours(2));
    store.engine.sweep().await.unwrap();
    assert_eq!(queue.info().await.unwrap().unwrap().counts.completed, 0);
}

#[tokio::test]
async fn active_jobs_cannot_be_removed_and_others_can() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    assert!(matches!(
        queue.remove(&id).await,
        Err(ManageError::WrongState(State::Active))
    ));
    finish(&store.engine, &job, completed()).await.unwrap();
    queue.remove(&id).await.unwrap();
    assert!(queue.get(&id).await.unwrap().is_none());
    assert!(matches!(
        queue.remove(&id).await,
        Err(ManageError::NotFound)
    ));
}

#[tokio::test]
async fn lists_have_pages() {
    let store = Store::new();
    let queue = queue(&store);
    for number in 0..7 {
        queue.add("n", &number).await.unwrap();
    }
    let page = queue
        .list(
            State::Waiting,
            Page {
                offset: 5,
                limit: 5,
            },
        )
        .await
        .unwrap();
    let payloads: Vec<&str> = page.jobs.iter().map(|job| job.data.get()).collect();
    assert_eq!(
        (payloads.as_slice(), page.total),
        (["5", "6"].as_slice(), 7)
    );
}
