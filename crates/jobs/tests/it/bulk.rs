//! Many jobs at once, in bounded steps.

use std::time::Duration;

use paceline_jobs::engine::{BulkAction, Finish};
use paceline_jobs::{
    Fingerprint, IdempotencyKey, JobId, JobOptions, LeaseError, LeaseToken, Limits, ManageError,
    Queue, QueueName, Retention, Schedule, Scheduler, SchedulerId, State,
};

use crate::store::{Store, claim, completed, failed, finish, raw};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

/// A store whose bulk actions go in small steps.
fn small_steps(step: usize) -> Store {
    Store::with(|options| {
        let mut limits = Limits::default();
        limits.bulk_step = step;
        options.limits(limits)
    })
}

async fn counts(queue: &Queue<u32>) -> paceline_jobs::QueueCounts {
    queue
        .info()
        .await
        .unwrap()
        .map_or_else(Default::default, |info| info.counts)
}

/// Claims and completes everything, and gives the payloads in the order served.
async fn served(store: &Store) -> Vec<String> {
    let token = LeaseToken::random();
    let mut order = Vec::new();
    loop {
        let jobs = claim(&store.engine, "q", &token, 500).await;
        if jobs.is_empty() {
            return order;
        }
        order.extend(jobs.iter().map(|job| job.data.get().to_owned()));
        let endings = jobs.iter().map(|job| Finish {
            lease: job.lease.clone(),
            ending: completed(),
        });
        store.engine.finish(endings.collect()).await.unwrap();
    }
}

async fn add(queue: &Queue<u32>, number: u32, options: JobOptions) -> JobId {
    queue.add_with("n", &number, options).await.unwrap().id
}

#[tokio::test]
async fn trap_3_bulk_retry_and_promote_keep_priority() {
    let store = small_steps(2);
    let queue = queue(&store);
    for (number, priority) in [(1, 9), (2, 0), (3, 1), (4, 9), (5, 0)] {
        add(&queue, number, JobOptions::new().priority(priority)).await;
    }
    for job in claim(&store.engine, "q", &LeaseToken::random(), 10).await {
        finish(&store.engine, &job, failed(false)).await.unwrap();
    }
    assert_eq!(queue.retry_all().await.unwrap(), 5);
    let ready = counts(&queue).await;
    assert_eq!((ready.waiting, ready.prioritized, ready.failed), (2, 3, 0));
    assert_eq!(served(&store).await, ["2", "5", "3", "1", "4"]);

    for (number, priority, delay) in [(1, 9, 60), (2, 0, 50), (3, 1, 40)] {
        let options = JobOptions::new()
            .priority(priority)
            .delay(Duration::from_secs(delay));
        add(&queue, number, options).await;
    }
    assert_eq!(queue.promote_all().await.unwrap(), 3);
    assert_eq!(served(&store).await, ["2", "3", "1"]);
}

#[tokio::test]
async fn retrying_all_ends_although_the_jobs_fail_again_meanwhile() {
    let store = small_steps(1);
    let queue = queue(&store);
    for number in 0..4 {
        add(&queue, number, JobOptions::new()).await;
    }
    let token = LeaseToken::random();
    for job in claim(&store.engine, "q", &token, 10).await {
        finish(&store.engine, &job, failed(false)).await.unwrap();
    }
    // The oldest failures first, so those that come back are not the next ones.
    let name = QueueName::new("q").unwrap();
    for number in 0..4 {
        store.clock.advance(Duration::from_secs(1));
        let step = store
            .engine
            .bulk(&name, BulkAction::RetryFailed)
            .await
            .unwrap();
        assert_eq!((step.done, step.more), (1, true));
        let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
        assert_eq!(job.data.get(), number.to_string());
        finish(&store.engine, &job, failed(false)).await.unwrap();
    }
    let retrying = queue.clone();
    let retrying = tokio::spawn(async move { retrying.retry_all().await });
    while !retrying.is_finished() {
        for job in claim(&store.engine, "q", &token, 1).await {
            finish(&store.engine, &job, failed(false)).await.unwrap();
        }
    }
    assert_eq!(retrying.await.unwrap().unwrap(), 4);
}

#[tokio::test]
async fn draining_removes_what_is_ready_and_the_delayed_if_asked() {
    let store = small_steps(2);
    let queue = queue(&store);
    let delayed = || JobOptions::new().delay(Duration::from_mins(1));
    for number in 0..3 {
        add(&queue, number, JobOptions::new()).await;
        add(&queue, number, JobOptions::new().priority(1)).await;
        add(&queue, number, delayed()).await;
    }
    let active = claim(&store.engine, "q", &LeaseToken::random(), 1).await;
    assert_eq!(queue.drain(false).await.unwrap(), 5);
    let left = counts(&queue).await;
    assert_eq!((left.not_started(), left.delayed, left.active), (3, 3, 1));
    assert_eq!(queue.drain(true).await.unwrap(), 3);
    assert_eq!(counts(&queue).await.not_started(), 0);
    finish(&store.engine, &active[0], completed())
        .await
        .unwrap();
    assert_eq!(queue.drain(true).await.unwrap(), 0);
    assert_eq!(counts(&queue).await.completed, 1);
}

#[tokio::test]
async fn cleaning_goes_by_state_and_age_and_refuses_active_jobs() {
    let store = small_steps(2);
    let queue = queue(&store);
    let minute = Duration::from_mins(1);
    for _ in 0..2 {
        for number in 0..3 {
            add(&queue, number, JobOptions::new()).await;
            add(&queue, number, JobOptions::new().priority(1)).await;
            add(
                &queue,
                number,
                JobOptions::new().delay(Duration::from_hours(1)),
            )
            .await;
        }
        let token = LeaseToken::random();
        let jobs = claim(&store.engine, "q", &token, 2).await;
        finish(&store.engine, &jobs[0], completed()).await.unwrap();
        finish(&store.engine, &jobs[1], failed(false))
            .await
            .unwrap();
        store.clock.advance(minute);
    }
    // The two rounds are two minutes and one minute old now.
    for (state, old, rest) in [
        (State::Completed, 1, 1),
        (State::Failed, 1, 1),
        (State::Delayed, 3, 3),
        (State::Prioritized, 3, 3),
    ] {
        assert_eq!(
            queue.clean(state, minute * 2).await.unwrap(),
            old,
            "{state}"
        );
        assert_eq!(
            queue.clean(state, Duration::ZERO).await.unwrap(),
            rest,
            "{state}"
        );
        assert_eq!(counts(&queue).await.of(state), 0, "{state}");
    }
    let waiting = counts(&queue).await.waiting;
    assert_eq!(
        queue.clean(State::Waiting, Duration::ZERO).await.unwrap(),
        waiting
    );
    assert_eq!(
        queue
            .clean(State::WaitingChildren, Duration::ZERO)
            .await
            .unwrap(),
        0
    );
    let refused = queue
        .clean(State::Active, Duration::ZERO)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ManageError::WrongState(State::Active)),
        "{refused}"
    );
}

#[tokio::test]
async fn obliterating_needs_a_paused_queue_without_active_jobs_unless_forced() {
    let store = small_steps(2);
    let queue = queue(&store);
    for number in 0..5 {
        add(&queue, number, JobOptions::new()).await;
    }
    let key = IdempotencyKey {
        key: "k".to_owned(),
        fingerprint: Fingerprint::of(b"request"),
        hold: Duration::from_hours(1),
    };
    let first = add(&queue, 6, JobOptions::new().idempotency(key.clone())).await;
    let scheduler = Scheduler {
        id: SchedulerId::new("s").unwrap(),
        schedule: Schedule::Every {
            every: Duration::from_secs(1),
            offset: None,
        },
        start: None,
        end: None,
        limit: None,
        immediately: true,
        catch_up: paceline_jobs::CatchUp::All,
        name: "n".to_owned(),
        data: raw(1),
        options: JobOptions::new(),
    };
    queue.upsert_scheduler(scheduler).await.unwrap();
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    let refused = queue.obliterate(true).await.unwrap_err();
    assert!(matches!(refused, ManageError::NotPaused), "{refused}");
    queue.pause().await.unwrap();
    let refused = queue.obliterate(false).await.unwrap_err();
    assert!(matches!(refused, ManageError::HasActive(1)), "{refused}");
    store.clock.advance(Duration::from_secs(10));
    assert_eq!(queue.obliterate(true).await.unwrap(), 7, "six and a slot's");
    assert!(queue.info().await.unwrap().is_none());
    assert!(queue.schedulers().await.unwrap().is_empty());
    let late = finish(&store.engine, &job, completed()).await;
    assert!(matches!(late, Err(LeaseError::LeaseLost)), "{late:?}");

    // The name is free again, with nothing of the past.
    let again = add(&queue, 6, JobOptions::new().idempotency(key)).await;
    assert_ne!(again, first);
    assert_eq!(served(&store).await, ["6"]);
    queue.pause().await.unwrap();
    assert_eq!(queue.obliterate(false).await.unwrap(), 1);
    assert_eq!(
        queue.obliterate(false).await.unwrap(),
        0,
        "there is no such queue"
    );
}

#[tokio::test]
async fn trap_16_pausing_at_any_point_loses_no_job() {
    let store = Store::new();
    let queue = queue(&store);
    let token = LeaseToken::random();
    let mut done = 0;
    for number in 0..30 {
        add(&queue, number, JobOptions::new().priority(number % 3)).await;
        match number % 4 {
            0 => queue.pause().await.unwrap(),
            2 => queue.resume().await.unwrap(),
            _ => {}
        }
        for job in claim(&store.engine, "q", &token, 1).await {
            // Ends under a pause as without one.
            queue.pause().await.unwrap();
            finish(&store.engine, &job, completed()).await.unwrap();
            done += 1;
        }
    }
    queue.resume().await.unwrap();
    let rest = served(&store).await.len();
    assert_eq!(done + rest, 30);
}

#[tokio::test]
async fn trap_17_big_sets_go_in_bounded_steps() {
    let store = Store::new();
    let queue = queue(&store);
    let name = QueueName::new("q").unwrap();
    for _ in 0..3 {
        let numbers: Vec<u32> = (0..10_000).collect();
        let jobs = numbers
            .iter()
            .map(|number| ("n", number, JobOptions::new()));
        queue.add_bulk(jobs).await.unwrap();
    }
    let step = store
        .engine
        .bulk(&name, BulkAction::Drain { delayed: true })
        .await
        .unwrap();
    assert_eq!((step.done, step.more), (1_000, true));
    // 10,000 active at once, and all of them ended in a few calls.
    let token = LeaseToken::random();
    let mut active = Vec::new();
    for _ in 0..10 {
        active.extend(claim(&store.engine, "q", &token, 1_000).await);
    }
    assert_eq!(counts(&queue).await.active, 10_000);
    for jobs in active.chunks(1_000) {
        let endings = jobs.iter().map(|job| Finish {
            lease: job.lease.clone(),
            ending: failed(false),
        });
        store.engine.finish(endings.collect()).await.unwrap();
    }
    // Failed ones are kept up to 5,000, and each ending removes at most 100 of the surplus.
    let left = counts(&queue).await;
    assert!(left.failed < 10_000 && left.failed >= 5_000, "{left:?}");
    queue.pause().await.unwrap();
    let removed = queue.obliterate(false).await.unwrap();
    assert_eq!(removed, left.failed + left.waiting);
    assert!(queue.info().await.unwrap().is_none());
}

#[tokio::test]
async fn jobs_not_kept_when_they_end_leave_nothing_to_clean() {
    let store = Store::new();
    let queue = queue(&store);
    add(&queue, 1, JobOptions::new().keep_completed(Retention::NONE)).await;
    served(&store).await;
    assert_eq!(
        queue.clean(State::Completed, Duration::ZERO).await.unwrap(),
        0
    );
}
