//! What is set for a queue as a whole: concurrency and rate (traps 15 and 16), and the order of its lines.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, Claimed, Ending};
use paceline_jobs::{JobOptions, LeaseToken, Queue, QueueName, QueueSettings, StartLimit, State};

use super::Store;
use crate::store::{LEASE, claim, claim_one, completed, failed, finish};

const WINDOW: Duration = Duration::from_secs(10);

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

fn some(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

fn rate(max: u32) -> Option<StartLimit> {
    let per = WINDOW;
    some(max).map(|max| StartLimit { max, per })
}

async fn fill(store: &Store, jobs: u32) {
    let numbers: Vec<u32> = (0..jobs).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    queue(store).add_bulk(jobs).await.unwrap();
}

async fn ask(store: &Store, max: usize) -> Claimed {
    let request = ClaimRequest {
        queue: QueueName::new("q").unwrap(),
        token: LeaseToken::random(),
        max,
        lease_for: LEASE,
    };
    store.engine.claim(request).await.unwrap()
}

#[tokio::test]
async fn settings_are_stored_for_every_process() {
    let store = Store::new();
    let settings = QueueSettings::default().concurrency(some(3)).rate(rate(5));
    queue(&store).set_settings(settings).await.unwrap();
    for engine in [store.engine.clone(), store.second()] {
        let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
        let info = queue.info().await.unwrap().unwrap();
        assert_eq!(info.settings, settings);
        assert_eq!(engine.queues().await.unwrap()[0].settings, settings);
    }
    let none = QueueSettings::default();
    queue(&store).set_settings(none).await.unwrap();
    let info = queue(&store).info().await.unwrap().unwrap();
    assert_eq!(info.settings, none);
}

#[tokio::test]
async fn no_more_jobs_are_active_than_the_concurrency_says_over_all_workers() {
    let store = Store::new();
    let settings = QueueSettings::default().concurrency(some(3));
    queue(&store).set_settings(settings).await.unwrap();
    fill(&store, 10).await;
    let other = store.second();
    let mut held = ask(&store, 2).await.jobs;
    held.extend(claim(&other, "q", &LeaseToken::random(), 9).await);
    assert_eq!(held.len(), 3);
    assert!(ask(&store, 9).await.jobs.is_empty());
    let endings = [
        completed(),
        failed(false),
        Ending::HandedBack,
        Ending::Postponed(WINDOW),
    ];
    for ending in endings {
        finish(&store.engine, &held.remove(0), ending)
            .await
            .unwrap();
        let next = claim(&other, "q", &LeaseToken::random(), 9).await;
        assert_eq!(next.len(), 1, "one place is free");
        held.extend(next);
    }
    store.pass(LEASE + Duration::from_secs(1));
    store.engine.sweep().await.unwrap();
    assert_eq!(
        ask(&store, 9).await.jobs.len(),
        3,
        "lost leases free places"
    );
    let more = QueueSettings::default().concurrency(some(5));
    queue(&store).set_settings(more).await.unwrap();
    assert_eq!(ask(&store, 9).await.jobs.len(), 2);
    let fewer = QueueSettings::default().concurrency(some(1));
    queue(&store).set_settings(fewer).await.unwrap();
    assert!(ask(&store, 9).await.jobs.is_empty(), "four too many");
}

#[tokio::test]
async fn a_job_that_ends_wakes_the_workers_of_a_queue_that_was_full() {
    let store = Store::new();
    let settings = QueueSettings::default().concurrency(some(1));
    queue(&store).set_settings(settings).await.unwrap();
    fill(&store, 2).await;
    let job = claim_one(&store.engine, "q").await;
    let mut listener = store.engine.listen(queue(&store).name());
    listener.reset();
    let nothing = ask(&store, 1).await;
    assert!(nothing.jobs.is_empty() && nothing.next_due.is_none());
    finish(&store.engine, &job, completed()).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_secs(20), listener.woken());
    woken.await.expect("woken by the end, not by the poll");
    assert_eq!(ask(&store, 1).await.jobs.len(), 1);
}

#[tokio::test]
async fn trap_15_no_more_jobs_start_in_a_window_than_the_rate_says() {
    let store = Store::new();
    let settings = QueueSettings::default().rate(rate(5));
    queue(&store).set_settings(settings).await.unwrap();
    fill(&store, 20).await;
    let began = store.engine.now();
    assert_eq!(ask(&store, 3).await.jobs.len(), 3);
    store.pass(WINDOW / 2);
    let rest = ask(&store, 9).await;
    assert_eq!(rest.jobs.len(), 2);
    let end = began.saturating_add(WINDOW);
    assert_eq!(rest.next_due, Some(end), "asking again helps then");
    let nothing = ask(&store, 9).await;
    assert!(nothing.jobs.is_empty());
    assert_eq!(nothing.next_due, Some(end));
    store.pass(WINDOW / 2);
    assert_eq!(ask(&store, 9).await.jobs.len(), 5, "a new window");
}

#[tokio::test]
async fn trap_15_a_rate_counts_starts_and_is_changed_at_run_time() {
    let store = Store::new();
    queue(&store)
        .set_settings(QueueSettings::default().rate(rate(4)))
        .await
        .unwrap();
    fill(&store, 20).await;
    for job in ask(&store, 2).await.jobs {
        finish(&store.engine, &job, Ending::HandedBack)
            .await
            .unwrap();
    }
    let lower = QueueSettings::default().rate(rate(1));
    queue(&store).set_settings(lower).await.unwrap();
    assert!(ask(&store, 9).await.jobs.is_empty(), "two were started");
    let higher = QueueSettings::default().rate(rate(3));
    queue(&store).set_settings(higher).await.unwrap();
    assert_eq!(ask(&store, 9).await.jobs.len(), 1, "two of three were");
    let none = QueueSettings::default();
    queue(&store).set_settings(none).await.unwrap();
    assert_eq!(ask(&store, 9).await.jobs.len(), 9);
}

#[tokio::test]
async fn trap_15_delayed_jobs_become_ready_while_the_rate_is_used_up() {
    let store = Store::new();
    let settings = QueueSettings::default().rate(rate(1)).concurrency(some(9));
    queue(&store).set_settings(settings).await.unwrap();
    let delay = JobOptions::new().delay(WINDOW / 4);
    queue(&store).add_with("n", &1, delay).await.unwrap();
    fill(&store, 1).await;
    assert_eq!(ask(&store, 9).await.jobs.len(), 1);
    store.pass(WINDOW / 2);
    assert!(ask(&store, 9).await.jobs.is_empty());
    let counts = queue(&store).info().await.unwrap().unwrap().counts;
    assert_eq!((counts.delayed, counts.waiting), (0, 1));
    store.pass(WINDOW / 2);
    assert_eq!(ask(&store, 9).await.jobs.len(), 1);
}

#[tokio::test]
async fn trap_16_pausing_and_concurrency_at_any_point_lose_no_job() {
    let store = Store::new();
    let queue = queue(&store);
    fill(&store, 30).await;
    let mut seen = Vec::new();
    for round in 0..40_u32 {
        let bound = some(1 + round % 4);
        let settings = QueueSettings::default().concurrency(bound);
        queue.set_settings(settings).await.unwrap();
        let held = ask(&store, 2).await.jobs;
        queue.pause().await.unwrap();
        assert!(ask(&store, 9).await.jobs.is_empty(), "it is paused");
        for job in held {
            finish(&store.engine, &job, completed()).await.unwrap();
            seen.push(job.data.get().parse::<u32>().unwrap());
        }
        queue.resume().await.unwrap();
    }
    assert_eq!(seen, (0..30).collect::<Vec<_>>());
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
