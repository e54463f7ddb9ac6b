//! On a file: what belongs together is stored together, also when the store fails half-way, and told at once.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::{Ending, Listener};
use paceline_jobs::{
    Deduplication, Flow, GroupName, JobId, JobOptions, LeaseError, Queue, QueueSettings, State,
};
use rusqlite::Connection;

use crate::store::{Store, claim_one, completed, finish, raw, state_of};

/// Another program at the file.
fn other(store: &Store) -> Connection {
    Connection::open(store.folder.path().join("jobs.db")).unwrap()
}

/// Makes the store fail as it writes a job named `kept`, until the trigger is gone.
const FAIL: &str = "CREATE TRIGGER fault BEFORE INSERT ON paceline_jobs WHEN new.name = 'kept' \
                    BEGIN SELECT raise(ABORT, 'the disk is full'); END";

#[tokio::test]
async fn trap_6_an_end_that_cannot_add_the_kept_job_has_not_happened() {
    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    let id = Deduplication::simple("d").unwrap().keep_last_if_active();
    let options = || JobOptions::new().deduplication(id.clone());
    queue.add_with("first", &1, options()).await.unwrap();
    let job = claim_one(&store.engine, "q").await;
    queue.add_with("kept", &2, options()).await.unwrap();
    other(&store).execute_batch(FAIL).unwrap();
    let lease = job.lease.clone();
    let ending = paceline_jobs::engine::Finish {
        lease,
        ending: completed(),
    };
    let failed = store.engine.finish(vec![ending]).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(
        state_of(&store.engine, "q", &job.lease.id).await,
        Some(State::Active)
    );
    other(&store).execute_batch("DROP TRIGGER fault").unwrap();
    // The worker tells it again.
    finish(&store.engine, &job, completed()).await.unwrap();
    let next = claim_one(&store.engine, "q").await;
    assert_eq!((next.name.as_str(), next.data.get()), ("kept", "2"));
}

#[tokio::test]
async fn trap_6_an_id_whose_job_was_lost_is_taken_over() {
    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    let id = Deduplication::simple("d").unwrap();
    let options = || JobOptions::new().deduplication(id.clone());
    queue.add_with("n", &1, options()).await.unwrap();
    let lost = other(&store).execute("DELETE FROM paceline_jobs", []);
    assert_eq!(lost.unwrap(), 1);
    let next = queue.add_with("n", &2, options()).await.unwrap();
    assert!(!next.existing);
    assert_eq!(
        queue.add_with("n", &3, options()).await.unwrap().id,
        next.id
    );
}

#[tokio::test]
async fn a_flow_that_fails_half_way_leaves_nothing() {
    let store = Store::new();
    other(&store).execute_batch(FAIL).unwrap();
    let node = |name: &str| Flow::new("q", name, &1, JobOptions::new()).unwrap();
    let flow = node("n").child(node("n")).child(node("kept"));
    let failed = store.engine.add_flow(flow).await;
    assert!(failed.is_err(), "{failed:?}");
    let rows: i64 = other(&store)
        .query_row(
            "SELECT (SELECT count(*) FROM paceline_jobs) + (SELECT count(*) FROM paceline_children)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_refused_ending_in_a_batch_does_not_touch_the_families_of_others() {
    let store = Store::new();
    let engine = &store.engine;
    let node = |queue: &str| Flow::new(queue, "n", &1, JobOptions::new()).unwrap();
    let flow = node("parents").child(node("q")).child(node("q"));
    let parent = engine.add_flow(flow).await.unwrap().job.id;
    let (one, two) = (claim_one(engine, "q").await, claim_one(engine, "q").await);
    let mut stale = one.lease.clone();
    stale.start += 1;
    let end = |lease| paceline_jobs::engine::Finish {
        lease,
        ending: Ending::Completed { result: raw(1) },
    };
    let endings = vec![end(one.lease), end(stale), end(two.lease)];
    let answers = engine.finish(endings).await.unwrap();
    assert!(matches!(
        answers[..],
        [
            Ok(State::Completed),
            Err(LeaseError::LeaseLost),
            Ok(State::Completed)
        ]
    ));
    assert_eq!(
        state_of(engine, "parents", &parent).await,
        Some(State::Waiting)
    );
    let nobody = JobId::lookup("nobody");
    assert_eq!(state_of(engine, "parents", &nobody).await, None);
}

#[tokio::test]
async fn refused_adds_do_not_touch_those_they_share_a_commit_with() {
    let store = Store::new();
    let bounded = Queue::<u32>::new(&store.engine, "q")
        .unwrap()
        .max_waiting(3);
    let open: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    for round in 1..=2 {
        let other = other(&store);
        // While another program writes, adds collect: they share commits afterwards.
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut adds = tokio::task::JoinSet::new();
        for number in 0..20 {
            let queue = if number % 2 == 0 {
                open.clone()
            } else {
                bounded.clone()
            };
            adds.spawn(async move { queue.add("n", &number).await.is_ok() });
            tokio::task::yield_now().await;
        }
        other.execute_batch("COMMIT").unwrap();
        let stored = adds.join_all().await.into_iter().filter(|stored| *stored);
        // Of the first four adds three find room at a bound of three, two of them without the bound.
        let expected = if round == 1 { 11 } else { 10 };
        assert_eq!(stored.count(), expected, "round {round}");
    }
    let info = store.engine.info(open.name()).await.unwrap().unwrap();
    assert_eq!(info.counts.waiting, 21);
}

#[tokio::test]
async fn the_time_of_a_deduplication_is_forgotten_by_upkeep() {
    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    let time = Duration::from_secs(10);
    let throttle = Deduplication::throttle("d", time).unwrap();
    let options = JobOptions::new().deduplication(throttle);
    queue.add_with("n", &1, options).await.unwrap();
    store.pass(time);
    assert_eq!(store.engine.sweep().await.unwrap().pruned, 1);
}

/// Whether the listener was woken already; does not wait for what the watcher of the file sees.
async fn was_woken(listener: &mut Listener) -> bool {
    tokio::select! {
        biased;
        () = listener.woken() => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn an_end_that_makes_room_wakes_workers_at_once() {
    let one = NonZeroU32::new(1);
    let group = || JobOptions::new().group(GroupName::new("g").unwrap());
    for (settings, options) in [
        (QueueSettings::default().concurrency(one), JobOptions::new()),
        (QueueSettings::default().group_concurrency(one), group()),
    ] {
        let store = Store::new();
        let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
        queue.set_settings(settings).await.unwrap();
        let both = [("n", &1, options.clone()), ("n", &2, options)];
        queue.add_bulk(both).await.unwrap();
        let job = claim_one(&store.engine, "q").await;
        let mut listener = store.engine.listen(queue.name());
        listener.reset();
        finish(&store.engine, &job, completed()).await.unwrap();
        assert!(was_woken(&mut listener).await, "{settings:?}");
    }
}
