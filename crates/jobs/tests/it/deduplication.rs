//! Adds that are the same work (trap 6).

use std::time::Duration;

use paceline_jobs::engine::Ending;
use paceline_jobs::{
    Added, Deduplication, Job, JobError, JobEventKind, JobId, JobOptions, LeaseToken, Queue,
    Received, Retention, Shutdown, State, Worker,
};

use super::{Store, open};
use crate::store::{LEASE, claim, claim_one, completed, failed, finish};

const TTL: Duration = Duration::from_secs(10);

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

async fn add(store: &Store, payload: u32, id: &Deduplication) -> Added {
    let options = JobOptions::new().deduplication(id.clone());
    let added = queue(store).add_with("n", &payload, options).await;
    added.unwrap()
}

async fn end(store: &Store, ending: Ending) -> JobId {
    let job = claim_one(&store.engine, "q").await;
    finish(&store.engine, &job, ending).await.unwrap();
    job.lease.id
}

#[tokio::test]
async fn a_simple_id_is_held_until_its_job_ends_or_is_removed() {
    let id = Deduplication::simple("d").unwrap();
    for how in ["completed", "failed", "removed"] {
        let store = Store::new();
        let first = add(&store, 1, &id).await;
        let again = add(&store, 2, &id).await;
        assert_eq!(
            (&again.id, first.existing, again.existing),
            (&first.id, false, true)
        );
        let snapshot = queue(&store).get(&first.id).await.unwrap().unwrap();
        assert_eq!(snapshot.deduplication.as_deref(), Some("d"));
        assert_eq!(snapshot.data.get(), "1");
        match how {
            "completed" => drop(end(&store, completed()).await),
            "failed" => drop(end(&store, failed(false)).await),
            _ => queue(&store).remove(&first.id).await.unwrap(),
        }
        assert!(!add(&store, 3, &id).await.existing, "{how}");
    }
}

#[tokio::test]
async fn an_id_is_held_through_retries_stalls_and_by_its_queue_alone() {
    let store = Store::new();
    let id = Deduplication::simple("d").unwrap();
    let options = JobOptions::new().attempts(3).deduplication(id.clone());
    queue(&store).add_with("n", &1, options).await.unwrap();
    end(&store, failed(true)).await;
    assert!(add(&store, 2, &id).await.existing, "it is retried");
    let job = claim_one(&store.engine, "q").await;
    assert!(add(&store, 2, &id).await.existing, "it is active");
    store.pass(LEASE + Duration::from_secs(1));
    store.engine.sweep().await.unwrap();
    assert!(add(&store, 2, &id).await.existing, "it stalled");
    let other: Queue<u32> = Queue::new(&store.engine, "other").unwrap();
    let options = JobOptions::new().deduplication(id.clone());
    let elsewhere = other.add_with("n", &1, options).await.unwrap();
    assert_ne!(elsewhere.id, job.lease.id);
}

#[tokio::test]
async fn two_engines_know_the_same_holders() {
    let store = Store::new();
    let id = Deduplication::simple("d").unwrap();
    let first = add(&store, 1, &id).await;
    let other: Queue<u32> = Queue::new(store.second(), "q").unwrap();
    let options = JobOptions::new().deduplication(id);
    let again = other.add_with("n", &2, options).await.unwrap();
    assert_eq!((again.id, again.existing), (first.id, true));
}

#[tokio::test]
async fn a_throttled_id_is_held_for_its_time_even_if_the_job_ended_and_is_gone() {
    let store = Store::new();
    let id = Deduplication::throttle("d", TTL).unwrap();
    let options = JobOptions::new()
        .deduplication(id.clone())
        .keep_completed(Retention::NONE);
    let first = queue(&store).add_with("n", &1, options).await.unwrap();
    end(&store, completed()).await;
    let again = add(&store, 2, &id).await;
    assert_eq!((&again.id, again.existing), (&first.id, true));
    store.pass(TTL.saturating_sub(Duration::from_secs(1)));
    assert!(add(&store, 2, &id).await.existing, "the time is not over");
    store.pass(Duration::from_secs(1));
    let second = add(&store, 3, &id).await;
    assert!(!second.existing);
    queue(&store).remove(&second.id).await.unwrap();
    assert!(
        !add(&store, 4, &id).await.existing,
        "a removal by hand ends it"
    );
}

#[tokio::test]
async fn trap_6_a_time_that_ends_while_the_job_is_active_frees_the_id() {
    let store = Store::new();
    let id = Deduplication::throttle("d", TTL).unwrap();
    add(&store, 1, &id).await;
    let job = claim_one(&store.engine, "q").await;
    store.pass(TTL);
    let second = add(&store, 2, &id).await;
    assert!(!second.existing);
    finish(&store.engine, &job, completed()).await.unwrap();
    let third = add(&store, 3, &id).await;
    assert_eq!(
        (third.id, third.existing),
        (second.id, true),
        "the first holder's end does not free the second's id"
    );
}

#[tokio::test]
async fn trap_6_each_add_extends_the_time_when_asked() {
    let store = Store::new();
    let id = Deduplication::throttle("d", TTL).unwrap().extend();
    add(&store, 1, &id).await;
    for _ in 0..3 {
        store.pass(TTL / 2);
        assert!(add(&store, 2, &id).await.existing);
    }
    store.pass(TTL);
    assert!(!add(&store, 3, &id).await.existing);
}

#[tokio::test]
async fn debounced_adds_leave_the_newest_and_start_the_wait_again() {
    let store = Store::new();
    let id = Deduplication::debounce("d", TTL).unwrap();
    let options = || JobOptions::new().delay(TTL).deduplication(id.clone());
    let mut ids = Vec::new();
    for payload in 1..=3 {
        let added = queue(&store).add_with("n", &payload, options()).await;
        let added = added.unwrap();
        assert!(!added.existing, "it takes the place of the one before");
        ids.push(added.id);
        store.pass(TTL / 2);
    }
    let counts = queue(&store).info().await.unwrap().unwrap().counts;
    assert_eq!((counts.delayed, counts.not_started()), (1, 1));
    assert!(queue(&store).get(&ids[0]).await.unwrap().is_none());
    store.pass(TTL / 2);
    let job = claim_one(&store.engine, "q").await;
    assert_eq!((job.data.get(), &job.lease.id), ("3", &ids[2]));
}

#[tokio::test]
async fn trap_6_a_holder_that_is_no_longer_delayed_is_not_replaced() {
    let store = Store::new();
    let id = Deduplication::simple("d").unwrap().replace();
    let first = add(&store, 1, &id).await;
    let again = add(&store, 2, &id).await;
    assert_eq!((&again.id, again.existing), (&first.id, true));
    let job = claim_one(&store.engine, "q").await;
    assert!(add(&store, 3, &id).await.existing);
    assert_eq!(job.data.get(), "1");
}

#[tokio::test]
async fn replacing_without_extending_keeps_the_first_time() {
    let store = Store::new();
    let id = Deduplication::throttle("d", TTL).unwrap().replace();
    let late = Duration::from_hours(1);
    let options = || JobOptions::new().delay(late).deduplication(id.clone());
    queue(&store).add_with("n", &1, options()).await.unwrap();
    store.pass(TTL / 2);
    queue(&store).add_with("n", &2, options()).await.unwrap();
    store.pass(TTL / 2);
    // The time of the first add is over: nobody holds the id, so nobody is replaced.
    queue(&store).add_with("n", &3, options()).await.unwrap();
    let counts = queue(&store).info().await.unwrap().unwrap().counts;
    assert_eq!(counts.delayed, 2);
}

#[tokio::test]
async fn trap_6_the_newest_of_three_adds_while_active_follows_when_the_holder_ends() {
    for ending in [completed(), failed(false)] {
        let store = Store::new();
        let id = Deduplication::simple("d").unwrap().keep_last_if_active();
        let first = add(&store, 1, &id).await;
        assert!(add(&store, 2, &id).await.existing, "before it starts");
        let job = claim_one(&store.engine, "q").await;
        for payload in [3, 4, 5] {
            let again = add(&store, payload, &id).await;
            assert_eq!((&again.id, again.existing), (&first.id, true));
        }
        let counts = queue(&store).info().await.unwrap().unwrap().counts;
        assert_eq!((counts.active, counts.not_started()), (1, 0));
        finish(&store.engine, &job, ending).await.unwrap();
        let next = claim_one(&store.engine, "q").await;
        assert_eq!(next.data.get(), "5");
        let again = add(&store, 6, &id).await;
        assert_eq!((&again.id, again.existing), (&next.lease.id, true));
        finish(&store.engine, &next, completed()).await.unwrap();
        let last = claim_one(&store.engine, "q").await;
        assert_eq!(last.data.get(), "6", "kept while the second ran");
        finish(&store.engine, &last, completed()).await.unwrap();
        let rest = claim(&store.engine, "q", &LeaseToken::random(), 9).await;
        assert!(rest.is_empty(), "each kept add ran once");
    }
}

#[tokio::test]
async fn trap_6_an_add_kept_under_a_throttled_id_is_not_lost() {
    for wait in [Duration::ZERO, TTL] {
        let store = Store::new();
        add(&store, 1, &Deduplication::throttle("d", TTL).unwrap()).await;
        let job = claim_one(&store.engine, "q").await;
        let keeps = Deduplication::simple("d").unwrap().keep_last_if_active();
        assert!(add(&store, 2, &keeps).await.existing);
        store.pass(wait);
        let simple = Deduplication::simple("d").unwrap();
        assert!(add(&store, 3, &simple).await.existing, "held until the end");
        finish(&store.engine, &job, completed()).await.unwrap();
        let next = claim_one(&store.engine, "q").await;
        assert_eq!(next.data.get(), "2");
    }
}

#[tokio::test]
async fn the_kept_add_keeps_its_options() {
    let store = Store::new();
    let id = Deduplication::simple("d").unwrap().keep_last_if_active();
    add(&store, 1, &id).await;
    let job = claim_one(&store.engine, "q").await;
    let options = JobOptions::new()
        .deduplication(id)
        .delay(TTL)
        .priority(7)
        .attempts(4)
        .timeout(TTL)
        .id("mine")
        .unwrap();
    queue(&store).add_with("other", &2, options).await.unwrap();
    finish(&store.engine, &job, completed()).await.unwrap();
    let mine = JobId::lookup("mine");
    let next = queue(&store).get(&mine).await.unwrap().unwrap();
    assert_eq!((next.state, next.name.as_str()), (State::Delayed, "other"));
    store.pass(TTL);
    let next = claim_one(&store.engine, "q").await;
    assert_eq!(
        (next.priority, next.max_attempts, next.timeout),
        (7, 4, Some(TTL))
    );
}

#[tokio::test]
async fn a_deduplicated_add_is_told() {
    let store = Store::new();
    let id = Deduplication::simple("d").unwrap();
    let mut events = store.engine.events(None);
    let first = add(&store, 1, &id).await;
    add(&store, 2, &id).await;
    for expected in [JobEventKind::Added, JobEventKind::Deduplicated] {
        let Some(Received::Event(event)) = events.next().await else {
            panic!("{expected:?} is told");
        };
        assert_eq!(
            (event.event, event.id.as_ref()),
            (expected, Some(&first.id))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_runs_the_kept_add_after_the_first() {
    let (engine, _folder) = open();
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let id = Deduplication::simple("d").unwrap().keep_last_if_active();
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let (again, gate_keeper) = (queue.clone(), gate.clone());
    let worker = Worker::builder(queue.clone()).start(move |job: Job<u32>| {
        let (told, gate) = (told.clone(), gate.clone());
        async move {
            told.send(*job.data()).unwrap();
            gate.acquire().await.unwrap().forget();
            Ok::<_, JobError>(())
        }
    });
    let options = || JobOptions::new().deduplication(id.clone());
    queue.add_with("n", &1, options()).await.unwrap();
    let bound = Duration::from_secs(20);
    assert_eq!(
        tokio::time::timeout(bound, heard.recv()).await.unwrap(),
        Some(1)
    );
    for payload in [2, 3] {
        again.add_with("n", &payload, options()).await.unwrap();
    }
    gate_keeper.add_permits(2);
    assert_eq!(
        tokio::time::timeout(bound, heard.recv()).await.unwrap(),
        Some(3)
    );
    worker.stop(bound).await;
}

#[tokio::test]
async fn trap_6_an_add_that_extends_the_time_does_not_lose_the_one_kept() {
    let store = Store::new();
    let simple = || Deduplication::simple("d").unwrap();
    add(&store, 1, &simple()).await;
    let job = claim_one(&store.engine, "q").await;
    add(&store, 2, &simple().keep_last_if_active()).await;
    add(&store, 3, &simple().ttl(TTL).extend()).await;
    store.pass(TTL);
    store.engine.sweep().await.unwrap();
    let held = add(&store, 4, &simple()).await;
    assert!(held.existing, "held until the end");
    finish(&store.engine, &job, completed()).await.unwrap();
    let next = claim_one(&store.engine, "q").await;
    assert_eq!(next.data.get(), "2");
}

#[tokio::test]
async fn a_replacement_keeps_the_time_of_the_one_it_replaces() {
    let store = Store::new();
    let half = TTL / 2;
    let id = Deduplication::simple("d").unwrap().ttl(TTL).replace();
    let options = || JobOptions::new().delay(TTL * 9).deduplication(id.clone());
    let queue = queue(&store);
    queue.add_with("n", &1, options()).await.unwrap();
    store.pass(half);
    assert!(!queue.add_with("n", &2, options()).await.unwrap().existing);
    store.pass(half);
    let third = add(&store, 3, &Deduplication::simple("d").unwrap()).await;
    assert!(!third.existing, "the time began with the first");
}

#[tokio::test]
async fn trap_6_an_add_kept_for_a_job_that_is_removed_is_not_lost() {
    let store = Store::new();
    let queue = queue(&store);
    let simple = || Deduplication::simple("d").unwrap();
    let holder = add(&store, 1, &simple()).await.id;
    let job = claim_one(&store.engine, "q").await;
    add(&store, 2, &simple().keep_last_if_active()).await;
    let later = Ending::Postponed(TTL);
    finish(&store.engine, &job, later).await.unwrap();
    queue.remove(&holder).await.unwrap();
    let next = claim_one(&store.engine, "q").await;
    assert_eq!(next.data.get(), "2");
}
