//! Schedulers in BullMQ's layout: each slot has one job, made ahead by whoever takes the one before.

use std::num::NonZeroU64;
use std::time::Duration;

use paceline_jobs::engine::ClaimedJob;
use paceline_jobs::{
    AddError, CatchUp, JobOptions, LeaseToken, ManageError, Page, Queue, Schedule, Scheduler,
    SchedulerId, State,
};

use super::Store;
use crate::store::{claim, completed, finish, raw};

const SECOND: Duration = Duration::from_secs(1);

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

fn every(distance: Duration) -> Scheduler {
    Scheduler {
        id: SchedulerId::new("tick").unwrap(),
        schedule: Schedule::Every {
            every: distance,
            offset: None,
        },
        start: None,
        end: None,
        limit: None,
        immediately: false,
        catch_up: CatchUp::One,
        name: "n".to_owned(),
        data: raw(7),
        options: JobOptions::new().priority(3).attempts(2),
    }
}

async fn take(store: &Store) -> Vec<ClaimedJob> {
    claim(&store.engine, "q", &LeaseToken::random(), 100).await
}

/// Takes and completes what there is; gives the slots, counted from `begin` in seconds.
async fn run(store: &Store, begin: i64) -> Vec<i64> {
    let mut slots = Vec::new();
    for job in take(store).await {
        let millis = job.lease.id.as_str().rsplit(':').next().unwrap();
        slots.push((millis.parse::<i64>().unwrap() - begin) / 1_000);
        finish(&store.engine, &job, completed()).await.unwrap();
    }
    slots
}

async fn not_started(queue: &Queue<u32>) -> u64 {
    queue.info().await.unwrap().unwrap().counts.not_started()
}

#[tokio::test]
async fn the_first_job_comes_at_once_and_each_makes_the_next() {
    let store = Store::new();
    let queue = queue(&store);
    let begin = store.now();
    let info = queue.upsert_scheduler(every(10 * SECOND)).await.unwrap();
    assert_eq!((info.next, info.made), (Some(store.engine.now()), 1));
    let job = take(&store).await.remove(0);
    assert_eq!(job.lease.id.as_str(), format!("repeat:tick:{begin}"));
    assert_eq!(job.scheduler.as_ref().unwrap().as_str(), "tick");
    assert_eq!(
        (job.priority, job.max_attempts, job.data.get()),
        (3, 2, "7")
    );
    assert_eq!(not_started(&queue).await, 1, "the next one waits already");
    let opts: String = store.command(&[
        "HGET",
        &store.key(&format!("repeat:tick:{}", begin + 10_000)),
        "opts",
    ]);
    let opts: serde_json::Value = serde_json::from_str(&opts).unwrap();
    assert_eq!(
        opts["repeat"],
        serde_json::json!({ "every": 10_000, "count": 2 })
    );
    assert_eq!(opts["repeatJobKey"], "tick");
    finish(&store.engine, &job, completed()).await.unwrap();
    store.pass(9 * SECOND);
    assert!(run(&store, begin).await.is_empty(), "not yet");
    store.pass(SECOND);
    assert_eq!(run(&store, begin).await, [10]);
    let listed = queue.schedulers().await.unwrap();
    assert_eq!((listed.len(), listed[0].made), (1, 3));
}

#[tokio::test]
async fn an_upsert_doubles_nothing_and_a_new_distance_counts_at_once() {
    let store = Store::new();
    let queue = queue(&store);
    let begin = store.now();
    queue.pause().await.unwrap();
    for _ in 0..3 {
        queue.upsert_scheduler(every(10 * SECOND)).await.unwrap();
        assert_eq!(not_started(&queue).await, 1);
        store.pass(SECOND);
    }
    queue.resume().await.unwrap();
    assert_eq!(run(&store, begin).await, [0], "the slot stayed");
    let info = queue.upsert_scheduler(every(4 * SECOND)).await.unwrap();
    assert_eq!(info.next, Some(store.engine.now()));
    assert_eq!(not_started(&queue).await, 1);
    assert_eq!(run(&store, begin).await, [3]);
    assert_eq!(not_started(&queue).await, 1);
}

#[tokio::test]
async fn a_removal_takes_the_waiting_job_along_and_an_active_one_has_no_successor() {
    let store = Store::new();
    let queue = queue(&store);
    let id = SchedulerId::new("tick").unwrap();
    queue.upsert_scheduler(every(10 * SECOND)).await.unwrap();
    let waits = queue
        .list(State::Prioritized, Page::default())
        .await
        .unwrap();
    let refused = queue.remove(&waits.jobs[0].id).await;
    assert!(
        matches!(refused, Err(ManageError::BelongsToScheduler(_))),
        "{refused:?}"
    );
    let job = take(&store).await.remove(0);
    assert!(queue.remove_scheduler(&id).await.unwrap());
    assert!(!queue.remove_scheduler(&id).await.unwrap());
    finish(&store.engine, &job, completed()).await.unwrap();
    store.pass(60 * SECOND);
    store.engine.sweep().await.unwrap();
    assert_eq!(not_started(&queue).await, 0);
    assert!(queue.schedulers().await.unwrap().is_empty());
}

#[tokio::test]
async fn engines_that_race_for_a_slot_make_one_job() {
    let store = Store::new();
    let queue = queue(&store);
    let begin = store.now();
    queue.upsert_scheduler(every(10 * SECOND)).await.unwrap();
    let other = store.second();
    for round in 0..5_i64 {
        let token = LeaseToken::random();
        let (one, two) = tokio::join!(
            claim(&store.engine, "q", &token, 9),
            claim(&other, "q", &token, 9)
        );
        let jobs: Vec<_> = one.into_iter().chain(two).collect();
        assert_eq!(jobs.len(), 1, "round {round}");
        let expected = format!("repeat:tick:{}", begin + 10_000 * round);
        assert_eq!(jobs[0].lease.id.as_str(), expected);
        assert_eq!(not_started(&queue).await, 1);
        finish(&store.engine, &jobs[0], completed()).await.unwrap();
        store.pass(10 * SECOND);
    }
}

#[tokio::test]
async fn slots_that_passed_have_one_job_or_each_its_own() {
    for (catch_up, expected) in [
        (CatchUp::One, vec![vec![10], vec![50]]),
        (CatchUp::All, vec![vec![10], vec![20], vec![30], vec![40]]),
    ] {
        let store = Store::new();
        let queue = queue(&store);
        let begin = store.now();
        let scheduler = Scheduler {
            catch_up,
            ..every(10 * SECOND)
        };
        queue.upsert_scheduler(scheduler).await.unwrap();
        assert_eq!(run(&store, begin).await, [0]);
        store.pass(45 * SECOND);
        let mut ran = Vec::new();
        for _ in 0..expected.len() {
            let slots = run(&store, begin).await;
            if slots.is_empty() {
                store.pass(5 * SECOND);
                ran.push(run(&store, begin).await);
            } else {
                ran.push(slots);
            }
        }
        assert_eq!(ran, expected, "{catch_up:?}");
    }
}

#[tokio::test]
async fn limits_and_ends_hold() {
    let store = Store::new();
    let queue = queue(&store);
    let begin = store.now();
    let scheduler = Scheduler {
        limit: NonZeroU64::new(2),
        ..every(10 * SECOND)
    };
    queue.upsert_scheduler(scheduler).await.unwrap();
    let mut ran = Vec::new();
    for _ in 0..5 {
        ran.extend(run(&store, begin).await);
        store.pass(10 * SECOND);
        store.engine.sweep().await.unwrap();
    }
    assert_eq!(ran, [0, 10]);
    let cron = |pattern: &str| Scheduler {
        schedule: Schedule::Cron {
            pattern: pattern.to_owned(),
            zone: "UTC".to_owned(),
        },
        ..every(SECOND)
    };
    let refused = queue.upsert_scheduler(cron("61 * * * *")).await;
    assert!(matches!(refused, Err(AddError::Schedule(_))), "{refused:?}");
    let info = queue
        .upsert_scheduler(cron("*/10 * * * * *"))
        .await
        .unwrap();
    assert_eq!(info.next.unwrap().as_millis() % 10_000, 0);
}

#[tokio::test]
async fn upkeep_makes_up_for_a_worker_that_died_before_it_made_the_next_job() {
    let store = Store::new();
    let queue = queue(&store);
    let begin = store.now();
    queue.upsert_scheduler(every(10 * SECOND)).await.unwrap();
    // What such a worker leaves: its job is gone, and nobody made another.
    let id = format!("repeat:tick:{begin}");
    let _: i64 = store.command(&["ZREM", &store.key("prioritized"), &id]);
    let _: i64 = store.command(&["DEL", &store.key(&id)]);
    store.pass(2 * SECOND);
    store.engine.sweep().await.unwrap();
    assert_eq!(not_started(&queue).await, 1);
    store.pass(8 * SECOND);
    assert_eq!(run(&store, begin).await, [10]);
}

#[tokio::test]
async fn a_scheduler_of_another_program_is_carried_on() {
    let store = Store::new();
    let queue = queue(&store);
    let (begin, sid) = (store.now(), "theirs");
    let now = begin.to_string();
    let id = format!("repeat:{sid}:{begin}");
    let _: i64 = store.command(&[
        "HSET",
        &store.key("repeat:theirs"),
        "name",
        "n",
        "every",
        "5000",
        "ic",
        "1",
        "offset",
        "0",
    ]);
    let _: i64 = store.command(&["ZADD", &store.key("repeat"), &now, sid]);
    let job = [
        "name",
        "n",
        "data",
        "1",
        "opts",
        "{}",
        "timestamp",
        &now,
        "delay",
        "0",
        "priority",
        "0",
        "rjk",
        sid,
    ];
    let _: i64 = store.command(&[&["HSET", &store.key(&id)], &job[..]].concat());
    let _: i64 = store.command(&["LPUSH", &store.key("wait"), &id]);
    assert_eq!(run(&store, begin).await, [0]);
    store.pass(6 * SECOND);
    let next = run(&store, begin).await;
    assert_eq!(next.len(), 1);
    assert!((1..=5).contains(&next[0]), "{next:?}");
    assert_eq!(queue.schedulers().await.unwrap()[0].made, 3);
}
