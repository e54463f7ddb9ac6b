//! The order in which ready jobs are served (trap 8).

use std::time::Duration;

use paceline_jobs::engine::Ending;
use paceline_jobs::{JobOptions, LeaseToken, Queue, State};

use super::Store;
use crate::store::{LEASE, claim, claim_one, completed, failed, finish};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

async fn fill(store: &Store, jobs: u32) {
    let numbers: Vec<u32> = (0..jobs).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    queue(store).add_bulk(jobs).await.unwrap();
}

/// Payloads in the order served.
async fn order(store: &Store) -> Vec<String> {
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 99).await;
    jobs.iter().map(|job| job.data.get().to_owned()).collect()
}

#[tokio::test]
async fn last_in_first_out_holds_for_adds_for_due_jobs_and_for_retries() {
    let store = Store::new();
    let queue = queue(&store);
    let later = Duration::from_secs(1);
    let lifo = || JobOptions::new().lifo();
    for (payload, options) in [
        (1, JobOptions::new()),
        (2, lifo()),
        (3, lifo()),
        (4, lifo().delay(later)),
        (5, lifo().priority(2)),
        (6, JobOptions::new().priority(2)),
        (7, lifo().priority(2)),
    ] {
        queue.add_with("n", &payload, options).await.unwrap();
    }
    store.pass(later);
    assert_eq!(order(&store).await, ["4", "3", "2", "1", "7", "5", "6"]);

    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    let retried = lifo().attempts(2);
    queue.add_with("n", &1, retried).await.unwrap();
    let job = claim_one(&store.engine, "q").await;
    fill(&store, 1).await;
    finish(&store.engine, &job, failed(true)).await.unwrap();
    assert_eq!(order(&store).await, ["1", "0"], "its retry goes first too");
}

#[tokio::test]
async fn retry_promotion_and_recovery_keep_the_priority() {
    let store = Store::new();
    let queue = queue(&store);
    let with = |priority| JobOptions::new().priority(priority);
    let hour = Duration::from_hours(1);
    let delayed = queue.add_with("n", &1, with(3).delay(hour)).await.unwrap();
    queue.add_with("n", &2, with(2)).await.unwrap();
    let fails = claim_one(&store.engine, "q").await;
    finish(&store.engine, &fails, failed(false)).await.unwrap();
    queue.add_with("n", &3, with(1)).await.unwrap();
    claim_one(&store.engine, "q").await;
    store.pass(LEASE + Duration::from_secs(1));
    store.engine.sweep().await.unwrap();
    for priority in [4, 3, 2, 1, 0] {
        let payload = 10 + priority;
        queue.add_with("n", &payload, with(priority)).await.unwrap();
    }
    queue.retry(&fails.lease.id).await.unwrap();
    queue.promote(&delayed.id).await.unwrap();
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.waiting, counts.prioritized), (1, 7));
    let listed = queue.list(State::Prioritized, paceline_jobs::Page::default());
    let listed: Vec<_> = listed.await.unwrap().jobs;
    let listed: Vec<_> = listed.iter().map(|job| job.data.get()).collect();
    let expected = ["10", "3", "11", "12", "2", "13", "1", "14"];
    assert_eq!(listed, expected[1..]);
    assert_eq!(order(&store).await, expected);
}

#[tokio::test]
async fn trap_8_priorities_hold_among_a_hundred_thousand_jobs() {
    let store = Store::new();
    let queue = queue(&store);
    // Payloads say the order of arrival; priorities are spread by a fixed rule.
    let priority = |number: u32| number.wrapping_mul(2_654_435_761) >> 29;
    let numbers: Vec<u32> = (0..100_000).collect();
    for part in numbers.chunks(10_000) {
        let jobs = part.iter().map(|number| {
            let options = JobOptions::new().priority(priority(*number));
            ("n", number, options)
        });
        queue.add_bulk(jobs).await.unwrap();
    }
    let mut expected = numbers;
    expected.sort_by_key(|&number| (priority(number), number));
    let token = LeaseToken::random();
    for part in expected.chunks(1_000) {
        let jobs = claim(&store.engine, "q", &token, 1_000).await;
        let order = jobs.iter().map(|job| job.data.get().parse().unwrap());
        assert_eq!(order.collect::<Vec<u32>>(), part);
    }
}

#[tokio::test]
async fn trap_8_a_job_handed_back_stands_before_its_equals_again() {
    let store = Store::new();
    let queue = queue(&store);
    for (payload, priority) in [(1, 2), (2, 2), (3, 1), (4, 0)] {
        let options = JobOptions::new().priority(priority);
        queue.add_with("n", &payload, options).await.unwrap();
    }
    let first = claim(&store.engine, "q", &LeaseToken::random(), 3).await;
    for job in &first {
        finish(&store.engine, job, Ending::HandedBack)
            .await
            .unwrap();
    }
    assert_eq!(order(&store).await, ["4", "3", "1", "2"]);
}

#[tokio::test]
async fn trap_8_an_emptied_queue_goes_on_in_order() {
    let store = Store::new();
    let queue = queue(&store);
    for round in 0..3 {
        for payload in [10 * round, 10 * round + 1] {
            let options = JobOptions::new().priority(5);
            queue.add_with("n", &payload, options).await.unwrap();
        }
        let expected = [10 * round, 10 * round + 1];
        for payload in expected {
            let job = claim_one(&store.engine, "q").await;
            assert_eq!(job.data.get(), payload.to_string());
            finish(&store.engine, &job, completed()).await.unwrap();
        }
    }
}
