//! Deduplication ids and the jobs that hold them.

use std::time::Duration;

use paceline_jobs::{Deduplication, JobOptions, LeaseToken, Page, Queue, State};

use super::Store;
use crate::store::{claim, completed, finish};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

const TTL: Duration = Duration::from_secs(10);

async fn add(queue: &Queue<u32>, number: u32, mode: Deduplication) -> (String, bool) {
    let options = JobOptions::new().deduplication(mode);
    let added = queue.add_with("n", &number, options).await.unwrap();
    (added.id.to_string(), added.existing)
}

#[tokio::test]
async fn a_simple_id_is_held_until_its_job_has_ended() {
    let store = Store::new();
    let queue = queue(&store);
    let simple = || Deduplication::simple("d").unwrap();
    let (first, _) = add(&queue, 1, simple()).await;
    assert_eq!(add(&queue, 2, simple()).await, (first.clone(), true));
    let job = claim(&store.engine, "q", &LeaseToken::random(), 9)
        .await
        .pop()
        .unwrap();
    assert_eq!(add(&queue, 3, simple()).await, (first, true));
    finish(&store.engine, &job, completed()).await.unwrap();
    let (second, existing) = add(&queue, 4, simple()).await;
    assert!(!existing);
    queue
        .remove(&paceline_jobs::JobId::lookup(second))
        .await
        .unwrap();
    assert!(!add(&queue, 5, simple()).await.1);
}

#[tokio::test]
async fn a_throttled_id_is_held_for_its_time_only() {
    let store = Store::new();
    let queue = queue(&store);
    let throttle = || Deduplication::throttle("d", TTL).unwrap();
    add(&queue, 1, throttle()).await;
    let job = claim(&store.engine, "q", &LeaseToken::random(), 9)
        .await
        .pop()
        .unwrap();
    finish(&store.engine, &job, completed()).await.unwrap();
    assert!(
        add(&queue, 2, throttle()).await.1,
        "the end of the job frees nothing"
    );
    store.pass(TTL - Duration::from_secs(1));
    assert!(add(&queue, 3, throttle()).await.1);
    store.pass(Duration::from_secs(2));
    assert!(!add(&queue, 4, throttle()).await.1);
}

#[tokio::test]
async fn the_newest_debounced_add_takes_the_place_of_the_delayed_one() {
    let store = Store::new();
    let queue = queue(&store);
    let options = || {
        let debounce = Deduplication::debounce("d", TTL).unwrap();
        JobOptions::new().delay(TTL).deduplication(debounce)
    };
    for number in 0..3 {
        let added = queue.add_with("n", &number, options()).await.unwrap();
        assert!(!added.existing);
        store.pass(TTL - Duration::from_secs(1));
    }
    let delayed = queue.list(State::Delayed, Page::default()).await.unwrap();
    assert_eq!((delayed.total, delayed.jobs[0].data.get()), (1, "2"));
    store.pass(Duration::from_secs(1));
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 9).await;
    assert_eq!((jobs.len(), jobs[0].data.get()), (1, "2"));
}

#[tokio::test]
async fn the_last_add_during_a_run_follows_it() {
    let store = Store::new();
    let queue = queue(&store);
    let keep = || Deduplication::simple("d").unwrap().keep_last_if_active();
    add(&queue, 1, keep()).await;
    let job = claim(&store.engine, "q", &LeaseToken::random(), 9)
        .await
        .pop()
        .unwrap();
    for number in 2..5 {
        assert!(add(&queue, number, keep()).await.1);
    }
    assert!(
        claim(&store.engine, "q", &LeaseToken::random(), 9)
            .await
            .is_empty()
    );
    finish(&store.engine, &job, completed()).await.unwrap();
    let next = claim(&store.engine, "q", &LeaseToken::random(), 9).await;
    assert_eq!((next.len(), next[0].data.get()), (1, "4"));
    assert!(
        add(&queue, 5, keep()).await.1,
        "the one that followed holds the id"
    );
    finish(&store.engine, &next[0], completed()).await.unwrap();
    assert_eq!(
        claim(&store.engine, "q", &LeaseToken::random(), 9)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn an_id_whose_job_vanished_is_free() {
    let store = Store::new();
    let queue = queue(&store);
    let simple = || Deduplication::simple("d").unwrap();
    let (first, _) = add(&queue, 1, simple()).await;
    let _: i64 = store.command(&["DEL", &store.key(&first)]);
    assert!(!add(&queue, 2, simple()).await.1);
}
