//! What is set for a queue as a whole: concurrency and rate (traps 15 and 16).

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, Claimed, Ending};
use paceline_jobs::{JobOptions, LeaseToken, Queue, QueueName, QueueSettings, StartLimit};

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
