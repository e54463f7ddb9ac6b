//! Schedulers: each slot has one job, whatever happens around it.

use std::num::NonZeroU64;
use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, Claimed};
use paceline_jobs::{
    AddError, CatchUp, EngineHandle, Job, JobError, JobId, JobOptions, LeaseToken, Limits, Queue,
    QueueName, Schedule, Scheduler, SchedulerId, Shutdown, SqliteEngine, Timestamp, Worker,
};
use tokio::sync::mpsc;

use crate::store::{LEASE, Store, claim, completed, failed, finish, raw};

const SECOND: Duration = Duration::from_secs(1);
/// Where the clock of a new store stands.
const BEGIN: i64 = 1_000_000;

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

fn id() -> SchedulerId {
    SchedulerId::new("tick").unwrap()
}

/// Slots at whole multiples of `every`.
fn each(every: Duration) -> Scheduler {
    Scheduler {
        id: id(),
        schedule: Schedule::Every {
            every,
            offset: Some(Duration::ZERO),
        },
        start: None,
        end: None,
        limit: None,
        immediately: false,
        catch_up: CatchUp::One,
        name: "n".to_owned(),
        data: raw(7),
        options: JobOptions::new(),
    }
}

async fn ask(engine: &EngineHandle, max: usize) -> Claimed {
    let request = ClaimRequest {
        queue: QueueName::new("q").unwrap(),
        token: LeaseToken::random(),
        max,
        lease_for: LEASE,
    };
    engine.claim(request).await.unwrap()
}

/// Takes everything there is and completes it; gives the ids.
async fn run(store: &Store) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let jobs = ask(&store.engine, 100).await.jobs;
        if jobs.is_empty() {
            return ids;
        }
        for job in jobs {
            ids.push(job.lease.id.to_string());
            finish(&store.engine, &job, completed()).await.unwrap();
        }
    }
}

async fn not_started(queue: &Queue<u32>) -> u64 {
    queue.info().await.unwrap().unwrap().counts.not_started()
}

fn slot(millis: i64) -> String {
    format!("repeat-tick-{millis}")
}

#[tokio::test]
async fn the_engine_makes_each_slot_and_tells_workers_when_the_next_is_due() {
    let store = Store::new();
    let queue = queue(&store);
    let mut scheduler = each(10 * SECOND);
    scheduler.options = JobOptions::new().priority(3).attempts(2).delay(60 * SECOND);
    let info = queue.upsert_scheduler(scheduler).await.unwrap();
    // 1,000 s is a slot of its own.
    assert_eq!(info.next, Some(Timestamp::from_millis(BEGIN)));
    let claimed = ask(&store.engine, 10).await;
    let job = &claimed.jobs[0];
    assert_eq!(job.lease.id.as_str(), slot(BEGIN));
    assert_eq!(job.scheduler, Some(id()));
    assert_eq!(
        (job.priority, job.max_attempts, job.data.get()),
        (3, 2, "7")
    );
    assert_eq!(
        claimed.next_due,
        Some(Timestamp::from_millis(BEGIN + 10_000))
    );
    let snapshot = queue.get(&job.lease.id).await.unwrap().unwrap();
    assert_eq!(snapshot.scheduler, Some(id()));
    finish(&store.engine, job, completed()).await.unwrap();

    store.clock.advance(9 * SECOND);
    assert!(run(&store).await.is_empty(), "not yet");
    store.clock.advance(SECOND);
    assert_eq!(run(&store).await, [slot(BEGIN + 10_000)]);
    let listed = queue.schedulers().await.unwrap();
    assert_eq!((listed.len(), listed[0].made), (1, 2));
    assert_eq!(listed[0].next, Some(Timestamp::from_millis(BEGIN + 20_000)));
}

#[tokio::test]
async fn upkeep_makes_slots_where_no_worker_asks() {
    let store = Store::new();
    let queue = queue(&store);
    queue.upsert_scheduler(each(10 * SECOND)).await.unwrap();
    store.engine.sweep().await.unwrap();
    assert_eq!(not_started(&queue).await, 1);
}

#[tokio::test]
async fn trap_1_an_upsert_while_paused_or_active_doubles_nothing() {
    let store = Store::new();
    let queue = queue(&store);
    queue.pause().await.unwrap();
    queue.upsert_scheduler(each(10 * SECOND)).await.unwrap();
    for _ in 0..3 {
        // Paused: the job of the slot is made, and no second one by upserts or by time.
        store.engine.sweep().await.unwrap();
        queue.upsert_scheduler(each(10 * SECOND)).await.unwrap();
        store.engine.sweep().await.unwrap();
        assert_eq!(not_started(&queue).await, 1);
        store.clock.advance(10 * SECOND);
    }
    queue.resume().await.unwrap();
    let claimed = ask(&store.engine, 10).await;
    assert_eq!(claimed.jobs.len(), 1);

    // Active: the same schedule changes nothing, another one begins after the slot that runs.
    queue.upsert_scheduler(each(10 * SECOND)).await.unwrap();
    let listed = queue.schedulers().await.unwrap();
    let info = queue.upsert_scheduler(each(15 * SECOND)).await.unwrap();
    assert!(info.next > Some(Timestamp::from_millis(BEGIN)), "{info:?}");
    assert_eq!(info.made, listed[0].made, "the count is kept");
    store.clock.advance(5 * SECOND);
    assert_eq!(run(&store).await, [slot(BEGIN + 35_000)]);
    finish(&store.engine, &claimed.jobs[0], completed())
        .await
        .unwrap();
    assert!(run(&store).await.is_empty(), "an ending makes no successor");
}

#[tokio::test]
async fn trap_1_another_distance_under_the_same_id_takes_effect_at_once() {
    let store = Store::new();
    let queue = queue(&store);
    let mut hourly = each(Duration::from_hours(1));
    hourly.schedule = Schedule::Every {
        every: Duration::from_hours(1),
        offset: None,
    };
    queue.upsert_scheduler(hourly.clone()).await.unwrap();
    assert_eq!(run(&store).await, [slot(BEGIN)], "the first at once");
    hourly.schedule = Schedule::Every {
        every: 10 * SECOND,
        offset: None,
    };
    let info = queue.upsert_scheduler(hourly).await.unwrap();
    assert_eq!(info.next, Some(Timestamp::from_millis(BEGIN + 10_000)));
    store.clock.advance(10 * SECOND);
    assert_eq!(run(&store).await, [slot(BEGIN + 10_000)]);
}

#[tokio::test]
async fn trap_1_a_removal_takes_the_waiting_job_along_and_leaves_the_active_one_without_successor()
{
    let store = Store::with(|options| {
        let mut limits = Limits::default();
        limits.bulk_step = 2;
        options.limits(limits)
    });
    let queue = queue(&store);
    let mut scheduler = each(5 * SECOND);
    scheduler.catch_up = CatchUp::All;
    queue.upsert_scheduler(scheduler).await.unwrap();
    let active = ask(&store.engine, 1).await.jobs.pop().unwrap();
    store.clock.advance(25 * SECOND);
    store.engine.sweep().await.unwrap();
    let own = queue.add("n", &1).await.unwrap();
    assert_eq!(not_started(&queue).await, 6, "five slots and one by hand");
    assert!(queue.remove_scheduler(&id()).await.unwrap());
    assert!(!queue.remove_scheduler(&id()).await.unwrap());
    assert_eq!(not_started(&queue).await, 1, "in steps of two, all of them");
    assert!(queue.get(&own.id).await.unwrap().is_some());
    finish(&store.engine, &active, failed(true)).await.unwrap();
    store.clock.advance(Duration::from_hours(1));
    assert_eq!(run(&store).await, [own.id.to_string()]);
    assert!(queue.schedulers().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_upsert_of_the_same_schedule_forgets_no_slot() {
    let store = Store::new();
    let queue = queue(&store);
    let mut scheduler = each(10 * SECOND);
    scheduler.catch_up = CatchUp::All;
    queue.upsert_scheduler(scheduler.clone()).await.unwrap();
    store.clock.advance(Duration::from_mins(30));
    // As a program does at each start, here after half an hour down.
    scheduler.data = raw(8);
    queue.upsert_scheduler(scheduler).await.unwrap();
    assert_eq!(run(&store).await.len(), 181);
    let made = queue
        .get(&JobId::lookup(slot(BEGIN + 10_000)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(made.data.get(), "8", "with what is stored now");
}

#[tokio::test]
async fn trap_2_processes_that_race_for_a_slot_make_one_job() {
    let store = Store::new();
    let second = store.second();
    let queue = queue(&store);
    queue.upsert_scheduler(each(10 * SECOND)).await.unwrap();
    for round in 0..20_i64 {
        let (one, other) = tokio::join!(ask(&store.engine, 10), ask(&second, 10));
        let mut jobs = one.jobs;
        jobs.extend(other.jobs);
        let ids: Vec<_> = jobs.iter().map(|job| job.lease.id.to_string()).collect();
        assert_eq!(ids, [slot(BEGIN + round * 10_000)]);
        finish(&store.engine, &jobs[0], completed()).await.unwrap();
        store.clock.advance(10 * SECOND);
    }
}

#[tokio::test]
async fn trap_2_an_hour_down_gives_no_job_one_job_or_all() {
    // Slots each minute: at 1,020 s first. An hour and 35 seconds later the last one is 15 seconds late.
    let last = slot(BEGIN + 3_620_000);
    for (catch_up, expected) in [(CatchUp::Skip, 0), (CatchUp::One, 1), (CatchUp::All, 61)] {
        let store = Store::new();
        let queue = queue(&store);
        let mut scheduler = each(60 * SECOND);
        scheduler.catch_up = catch_up;
        queue.upsert_scheduler(scheduler).await.unwrap();
        store.clock.advance(Duration::from_hours(1) + 35 * SECOND);
        let made = run(&store).await;
        assert_eq!(made.len(), expected, "{catch_up:?}");
        assert!(made.last().is_none_or(|made| *made == last), "{made:?}");
        let info = queue.schedulers().await.unwrap().pop().unwrap();
        assert_eq!(info.next, Some(Timestamp::from_millis(BEGIN + 3_680_000)));
        store.clock.advance(45 * SECOND);
        assert_eq!(run(&store).await.len(), 1, "{catch_up:?}: and on in time");
    }
}

#[tokio::test]
async fn trap_2_limit_end_and_a_start_in_the_past() {
    let store = Store::new();
    let queue = queue(&store);
    let mut limited = each(10 * SECOND);
    limited.limit = NonZeroU64::new(2);
    limited.start = Some(Timestamp::from_millis(5));
    queue.upsert_scheduler(limited.clone()).await.unwrap();
    for expected in [1, 1, 0] {
        assert_eq!(run(&store).await.len(), expected);
        store.clock.advance(10 * SECOND);
    }
    let info = queue.schedulers().await.unwrap().pop().unwrap();
    assert_eq!(
        (info.made, info.next),
        (2, None),
        "it stays, and makes no more"
    );
    limited.limit = None;
    limited.end = Some(Timestamp::from_millis(BEGIN + 40_000));
    queue.upsert_scheduler(limited).await.unwrap();
    for expected in [1, 1, 0] {
        assert_eq!(run(&store).await.len(), expected);
        store.clock.advance(10 * SECOND);
    }
}

#[tokio::test]
async fn a_job_that_waits_stands_for_the_slots_that_pass_meanwhile() {
    let store = Store::new();
    let queue = queue(&store);
    queue.upsert_scheduler(each(10 * SECOND)).await.unwrap();
    for _ in 0..100 {
        store.engine.sweep().await.unwrap();
        store.clock.advance(10 * SECOND);
    }
    assert_eq!(
        not_started(&queue).await,
        1,
        "no pile of jobs while no worker runs"
    );
    let active = ask(&store.engine, 1).await.jobs;
    assert_eq!(active.len(), 1);
    store.clock.advance(10 * SECOND);
    assert_eq!(
        run(&store).await.len(),
        1,
        "but the next slot does not wait for the active one"
    );
}

#[tokio::test]
async fn a_retried_job_of_a_scheduler_holds_nothing_up() {
    let store = Store::new();
    let queue = queue(&store);
    let mut scheduler = each(10 * SECOND);
    let hour = Duration::from_hours(1);
    scheduler.options = JobOptions::new()
        .attempts(2)
        .backoff(paceline_jobs::Backoff::fixed(hour));
    queue.upsert_scheduler(scheduler).await.unwrap();
    let job = ask(&store.engine, 1).await.jobs.pop().unwrap();
    finish(&store.engine, &job, failed(true)).await.unwrap();
    store.clock.advance(10 * SECOND);
    assert_eq!(run(&store).await, [slot(BEGIN + 10_000)]);
}

#[tokio::test]
async fn a_bad_schedule_or_one_too_many_is_refused_and_nothing_is_stored() {
    let store = Store::with(|options| {
        let mut limits = Limits::default();
        limits.schedulers = 1;
        limits.payload = 100;
        options.limits(limits)
    });
    let queue = queue(&store);
    let mut bad = each(SECOND);
    bad.schedule = Schedule::Cron {
        pattern: "* * * * *".to_owned(),
        zone: "Nowhere/Else".to_owned(),
    };
    let refused = queue.upsert_scheduler(bad).await.unwrap_err();
    assert!(matches!(&refused, AddError::Schedule(why) if why.contains("Nowhere/Else")));
    let mut large = each(SECOND);
    large.data = raw("x".repeat(100));
    let refused = queue.upsert_scheduler(large).await.unwrap_err();
    assert!(
        matches!(refused, AddError::TooLarge { size: 102, .. }),
        "{refused}"
    );
    assert!(queue.schedulers().await.unwrap().is_empty());

    queue.upsert_scheduler(each(SECOND)).await.unwrap();
    queue.upsert_scheduler(each(2 * SECOND)).await.unwrap();
    let mut second = each(SECOND);
    second.id = SchedulerId::new("other").unwrap();
    let refused = queue.upsert_scheduler(second).await.unwrap_err();
    assert!(
        matches!(refused, AddError::TooManySchedulers { max: 1 }),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_worker_hears_of_a_new_scheduler_and_wakes_for_its_slots() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EngineHandle::from(SqliteEngine::open(folder.path().join("jobs.db")).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let (told, mut heard) = mpsc::unbounded_channel();
    // Upkeep is every 2 seconds and the poll bound far away: the slots must wake the worker.
    let worker = Worker::builder(queue.clone())
        .poll(Duration::from_mins(10))
        .start(move |job: Job<u32>| {
            let told = told.clone();
            async move {
                told.send(job.id().to_string()).unwrap();
                Ok::<_, JobError>(())
            }
        });
    let mut scheduler = each(Duration::from_millis(40));
    scheduler.immediately = true;
    queue.upsert_scheduler(scheduler).await.unwrap();
    let mut slots = Vec::new();
    while slots.len() < 20 {
        let next = tokio::time::timeout(Duration::from_secs(20), heard.recv()).await;
        slots.push(next.expect("in time").unwrap());
    }
    let sorted = {
        let mut sorted = slots.clone();
        sorted.sort();
        sorted.dedup();
        sorted
    };
    assert_eq!(slots, sorted, "in order and once each");
    worker.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn schedulers_hold_over_a_restart() {
    let store = Store::new();
    queue(&store)
        .upsert_scheduler(each(10 * SECOND))
        .await
        .unwrap();
    store.engine.stop(Duration::from_secs(10)).await;
    let again = store.second();
    let token = LeaseToken::random();
    let jobs = claim(&again, "q", &token, 10).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].scheduler, Some(id()));
}
