//! Changes to many jobs, to one job, and to a queue as a whole.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::{Renewal, Search};
use paceline_jobs::{
    JobOptions, LeaseToken, ManageError, Page, Queue, QueueSettings, StartLimit, State,
};

use super::Store;
use crate::store::{LEASE, claim, completed, failed, finish};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

async fn fill(queue: &Queue<u32>, count: u32, options: JobOptions) {
    let numbers: Vec<u32> = (0..count).collect();
    let jobs = numbers.iter().map(|number| ("n", number, options.clone()));
    queue.add_bulk(jobs).await.unwrap();
}

async fn counts(queue: &Queue<u32>) -> paceline_jobs::QueueCounts {
    queue.info().await.unwrap().unwrap().counts
}

#[tokio::test]
async fn failed_jobs_start_over_and_delayed_ones_are_promoted_in_steps() {
    let store = Store::new();
    let queue = queue(&store);
    fill(&queue, 2_500, JobOptions::new().priority(2).delay(LEASE)).await;
    assert_eq!(queue.promote_all().await.unwrap(), 2_500);
    assert_eq!(
        counts(&queue).await.prioritized,
        2_500,
        "the priority is kept"
    );
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 20).await;
    for job in &jobs {
        finish(&store.engine, job, failed(false)).await.unwrap();
    }
    assert_eq!(queue.retry_all().await.unwrap(), 20);
    let now = counts(&queue).await;
    assert_eq!((now.prioritized, now.failed), (2_500, 0));
}

#[tokio::test]
async fn draining_leaves_active_and_finished_jobs() {
    let store = Store::new();
    let queue = queue(&store);
    fill(&queue, 1_200, JobOptions::new()).await;
    fill(&queue, 3, JobOptions::new().priority(1)).await;
    fill(&queue, 4, JobOptions::new().delay(LEASE)).await;
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 2).await;
    finish(&store.engine, &jobs[0], completed()).await.unwrap();
    assert_eq!(queue.drain(false).await.unwrap(), 1_201);
    let now = counts(&queue).await;
    assert_eq!(
        (now.not_started(), now.delayed, now.active, now.completed),
        (4, 4, 1, 1)
    );
    assert_eq!(queue.drain(true).await.unwrap(), 4);
    assert_eq!(counts(&queue).await.not_started(), 0);
}

#[tokio::test]
async fn cleaning_takes_what_is_old_enough() {
    let store = Store::new();
    let queue = queue(&store);
    fill(&queue, 5, JobOptions::new()).await;
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 3).await;
    for job in &jobs {
        finish(&store.engine, job, completed()).await.unwrap();
        store.pass(Duration::from_secs(10));
    }
    let clean = async |state, seconds| queue.clean(state, Duration::from_secs(seconds)).await;
    assert_eq!(clean(State::Completed, 15).await.unwrap(), 2);
    assert_eq!(clean(State::Waiting, 60).await.unwrap(), 0);
    assert_eq!(clean(State::Waiting, 30).await.unwrap(), 2);
    let refused = clean(State::Active, 0).await;
    assert!(matches!(
        refused,
        Err(ManageError::WrongState(State::Active))
    ));
}

#[tokio::test]
async fn obliterating_leaves_no_key() {
    let store = Store::new();
    let queue = queue(&store);
    fill(&queue, 1_500, JobOptions::new()).await;
    fill(&queue, 5, JobOptions::new().delay(LEASE)).await;
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 2).await;
    store
        .engine
        .progress(&jobs[0].lease, crate::store::raw(1))
        .await
        .unwrap();
    assert!(matches!(
        queue.obliterate(false).await,
        Err(ManageError::NotPaused)
    ));
    queue.pause().await.unwrap();
    assert!(matches!(
        queue.obliterate(false).await,
        Err(ManageError::HasActive(2))
    ));
    assert_eq!(queue.obliterate(true).await.unwrap(), 1_505);
    let keys: Vec<String> = store.command(&["KEYS", &store.key("*")]);
    assert!(keys.is_empty(), "{keys:?}");
    let late = finish(&store.engine, &jobs[0], completed()).await;
    assert!(late.is_err(), "its holder is refused");
}

#[tokio::test]
async fn priority_delay_and_payload_can_be_changed_while_a_job_waits() {
    let store = Store::new();
    let queue = queue(&store);
    let first = queue.add("n", &1).await.unwrap().id;
    let second = queue.add("n", &2).await.unwrap().id;
    queue.change_priority(&first, 5).await.unwrap();
    queue.update_data(&second, &20).await.unwrap();
    let late = JobOptions::new().delay(LEASE);
    let third = queue.add_with("n", &3, late).await.unwrap().id;
    queue
        .change_delay(&third, Duration::from_secs(1))
        .await
        .unwrap();
    store.pass(Duration::from_secs(1));
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 9).await;
    let payloads: Vec<&str> = jobs.iter().map(|job| job.data.get()).collect();
    assert_eq!(payloads, ["20", "3", "1"]);
    let refused = queue.change_priority(&first, 1).await;
    assert!(matches!(
        refused,
        Err(ManageError::WrongState(State::Active))
    ));
}

#[tokio::test]
async fn the_holder_of_a_cancelled_job_hears_of_it_at_its_next_renewal() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    assert!(matches!(
        queue.cancel(&id).await,
        Err(ManageError::WrongState(State::Waiting))
    ));
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    queue.cancel(&id).await.unwrap();
    let renew = async || {
        store
            .engine
            .renew(vec![job.lease.clone()], LEASE)
            .await
            .unwrap()
    };
    assert_eq!(renew().await, [Renewal::CancelRequested]);
    finish(&store.engine, &job, failed(false)).await.unwrap();
    queue.retry(&id).await.unwrap();
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    let renewed = store
        .engine
        .renew(vec![job.lease.clone()], LEASE)
        .await
        .unwrap();
    assert_eq!(
        renewed,
        [Renewal::Held],
        "the request went with the attempt"
    );
}

#[tokio::test]
async fn a_queues_bounds_hold_over_all_workers() {
    let store = Store::new();
    let queue = queue(&store);
    fill(&queue, 10, JobOptions::new()).await;
    let three = NonZeroU32::new(3);
    queue
        .set_settings(QueueSettings::default().concurrency(three))
        .await
        .unwrap();
    let take = async || claim(&store.engine, "q", &LeaseToken::random(), 9).await;
    let jobs = take().await;
    assert_eq!(jobs.len(), 3);
    assert!(take().await.is_empty());
    finish(&store.engine, &jobs[0], completed()).await.unwrap();
    assert_eq!(take().await.len(), 1);
    let rate = StartLimit {
        max: NonZeroU32::new(2).unwrap(),
        per: Duration::from_secs(10),
    };
    let settings = QueueSettings::default().rate(Some(rate));
    queue.set_settings(settings).await.unwrap();
    assert_eq!(queue.info().await.unwrap().unwrap().settings, settings);
    assert_eq!(take().await.len(), 2);
    assert!(take().await.is_empty());
    store.pass(Duration::from_secs(11));
    assert_eq!(take().await.len(), 2);
}

#[tokio::test]
async fn logs_are_kept_in_order_up_to_their_bound() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue
        .add_with("n", &1, JobOptions::new().keep_logs(3))
        .await
        .unwrap()
        .id;
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    for line in 0..5 {
        store
            .engine
            .log(&job.lease, format!("line {line}"))
            .await
            .unwrap();
    }
    let page = Page {
        offset: 1,
        limit: 9,
    };
    let logs = queue.logs(&id, page).await.unwrap();
    assert_eq!(
        (logs.lines, logs.total),
        (vec!["line 3".to_owned(), "line 4".to_owned()], 3)
    );
    finish(&store.engine, &job, completed()).await.unwrap();
    assert!(
        store
            .engine
            .log(&job.lease, "late".to_owned())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn jobs_are_found_by_name_text_and_state() {
    let store = Store::new();
    let queue = queue(&store);
    for number in 0..5 {
        queue
            .add(if number < 3 { "send" } else { "read" }, &(100 + number))
            .await
            .unwrap();
        store.pass(Duration::from_secs(1));
    }
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    finish(&store.engine, &job, failed(false)).await.unwrap();
    let find = async |search: Search| {
        let page = queue.search(search, Page::default()).await.unwrap();
        page.jobs
            .iter()
            .map(|job| job.data.get().to_owned())
            .collect::<Vec<_>>()
    };
    let mut search = Search::default();
    search.name = Some("send".to_owned());
    assert_eq!(find(search.clone()).await, ["102", "101", "100"]);
    search.states = vec![State::Waiting];
    assert_eq!(find(search).await, ["102", "101"]);
    let mut by_text = Search::default();
    by_text.text = Some("it broke".to_owned());
    assert_eq!(find(by_text).await, ["100"]);
}
