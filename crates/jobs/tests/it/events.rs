//! Events that can be come back to.

use std::time::Duration;

use paceline_jobs::{
    EngineHandle, EventCursor, JobEventKind, JobOptions, LeaseToken, Queue, QueueEvents, QueueName,
    Received,
};

use super::Store;
use crate::store::{claim, completed, finish};
use crate::workbench::BOUND;

fn queue(engine: &EngineHandle, name: &str) -> Queue<u32> {
    Queue::new(engine, name).unwrap()
}

/// What comes next.
pub(crate) async fn next(events: &mut QueueEvents) -> Received {
    tokio::time::timeout(BOUND, events.next())
        .await
        .expect("in time")
        .expect("the engine lives")
}

/// What happened next, where nothing is lost.
pub(crate) async fn kinds(events: &mut QueueEvents, count: usize) -> Vec<JobEventKind> {
    let mut kinds = Vec::new();
    while kinds.len() < count {
        match next(events).await {
            Received::Event(event) => kinds.push(event.event),
            lost => panic!("{lost:?}"),
        }
    }
    kinds
}

/// Where a subscription stands, as soon as that is known.
pub(crate) async fn place(events: &QueueEvents) -> EventCursor {
    let looks = async {
        loop {
            if let Some(cursor) = events.cursor() {
                return cursor;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(BOUND, looks).await.expect("in time")
}

/// A cursor that travelled as text.
fn travelled(cursor: &EventCursor) -> EventCursor {
    cursor.to_string().parse().unwrap()
}

async fn run_one(engine: &EngineHandle, queue: &str) {
    let job = claim(engine, queue, &LeaseToken::random(), 1)
        .await
        .remove(0);
    finish(engine, &job, completed()).await.unwrap();
}

#[tokio::test]
async fn a_reader_that_comes_back_with_a_cursor_misses_nothing() {
    let store = Store::new();
    let queue = queue(&store.engine, "q");
    let mut events = queue.events();
    queue.add("n", &1).await.unwrap();
    let Received::Event(added) = next(&mut events).await else {
        panic!("an event");
    };
    assert_eq!(added.event, JobEventKind::Added);
    assert_eq!(events.cursor().as_ref(), Some(&added.cursor));
    drop(events);
    run_one(&store.engine, "q").await;
    let mut again = queue.events_since(&travelled(&added.cursor)).unwrap();
    let happened = kinds(&mut again, 2).await;
    assert_eq!(happened, [JobEventKind::Active, JobEventKind::Completed]);
    // And what comes after it came back.
    queue.add("n", &2).await.unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
    let place = again.cursor().unwrap();
    drop(again);
    run_one(&store.engine, "q").await;
    let mut again = queue.events_since(&travelled(&place)).unwrap();
    let happened = kinds(&mut again, 2).await;
    assert_eq!(happened, [JobEventKind::Active, JobEventKind::Completed]);
}

#[tokio::test]
async fn the_place_before_the_first_event_is_one_to_come_back_to() {
    let store = Store::new();
    let queue = queue(&store.engine, "q");
    let events = queue.events();
    let start = place(&events).await;
    drop(events);
    queue.add("n", &1).await.unwrap();
    let mut again = queue.events_since(&start).unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
}

#[tokio::test]
async fn a_reader_of_all_queues_comes_back_to_each_of_them() {
    let store = Store::new();
    let (one, two) = (queue(&store.engine, "one"), queue(&store.engine, "two"));
    let mut events = store.engine.events(None);
    one.add("n", &1).await.unwrap();
    two.add("n", &1).await.unwrap();
    assert_eq!(kinds(&mut events, 2).await, [JobEventKind::Added; 2]);
    let cursor = events.cursor().unwrap();
    drop(events);
    for number in 2..5 {
        one.add("n", &number).await.unwrap();
        two.add("n", &number).await.unwrap();
    }
    let mut again = store
        .engine
        .events_since(None, &travelled(&cursor))
        .unwrap();
    let mut heard = Vec::new();
    for _ in 0..6 {
        let Received::Event(event) = next(&mut again).await else {
            panic!("an event");
        };
        heard.push(event.queue.to_string());
    }
    heard.sort_unstable();
    assert_eq!(heard, ["one", "one", "one", "two", "two", "two"]);
    // A queue that comes up later belongs to it too.
    queue(&store.engine, "three").add("n", &1).await.unwrap();
    let Received::Event(event) = next(&mut again).await else {
        panic!("an event");
    };
    assert_eq!(event.queue, QueueName::new("three").unwrap());
    assert_eq!(event.event, JobEventKind::Added);
}

#[tokio::test]
async fn a_slow_reader_that_came_back_hears_everything_or_how_much_it_lost() {
    let store = Store::with(|options| options.event_buffer(100_000));
    let queue = queue(&store.engine, "q");
    let start = place(&queue.events()).await;
    let numbers: Vec<u32> = (0..1_500).collect();
    let jobs = |numbers: &'static [u32]| {
        let jobs = numbers.iter();
        jobs.map(|number| ("n", number, JobOptions::new()))
    };
    let numbers: &'static [u32] = numbers.leak();
    queue.add_bulk(jobs(&numbers[..700])).await.unwrap();
    let mut again = queue.events_since(&start).unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
    queue.add_bulk(jobs(&numbers[700..])).await.unwrap();
    assert_eq!(kinds(&mut again, 1_499).await.len(), 1_499);
}

#[tokio::test]
async fn a_reader_is_told_when_events_after_its_cursor_are_gone() {
    let store = Store::with(|options| options.event_buffer(4));
    let queue = queue(&store.engine, "q");
    let cursor = place(&queue.events()).await;
    for number in 0..10 {
        queue.add("n", &number).await.unwrap();
    }
    store.keep_few_events(4);
    let mut again = queue.events_since(&cursor).unwrap();
    let lost = next(&mut again).await;
    assert!(
        matches!(lost, Received::Lagged(6) | Received::Gap),
        "{lost:?}"
    );
    assert_eq!(
        kinds(&mut again, Store::EVENTS_OF_FOUR).await.pop(),
        Some(JobEventKind::Added)
    );
    // Told once.
    queue.add("n", &10).await.unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
}

#[tokio::test]
async fn a_cursor_of_another_store_or_queue_is_refused() {
    let store = Store::new();
    let queue = queue(&store.engine, "q");
    let mut events = queue.events();
    queue.add("n", &1).await.unwrap();
    next(&mut events).await;
    for foreign in ["0000000000000abc-1", "r:1764000000000-0"] {
        let foreign: EventCursor = foreign.parse().unwrap();
        assert!(queue.events_since(&foreign).is_err(), "{foreign}");
        assert!(store.engine.events_since(None, &foreign).is_err());
    }
}
