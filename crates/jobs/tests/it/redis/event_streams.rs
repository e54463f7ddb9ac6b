//! What only streams on a server can do: be come back to by another process, and be deleted by one.

use paceline_jobs::{JobEventKind, JobOptions, Queue, Received};

use super::Store;
use super::events::{kinds, next, place};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

#[tokio::test]
async fn another_process_goes_on_where_one_stopped() {
    let store = Store::new();
    let here = queue(&store);
    let cursor = place(&here.events()).await.to_string();
    here.add("n", &1).await.unwrap();
    let there: Queue<u32> = Queue::new(store.second(), "q").unwrap();
    let mut again = there.events_since(&cursor.parse().unwrap()).unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
    here.add("n", &2).await.unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
}

#[tokio::test]
async fn what_a_slow_reader_has_before_it_waits_on_the_server() {
    let store = Store::with(|options| options.event_buffer(2));
    let queue = queue(&store);
    let mut again = {
        let start = place(&queue.events()).await;
        queue.events_since(&start).unwrap()
    };
    for number in 0..50 {
        let options = JobOptions::new().delay(std::time::Duration::from_secs(number));
        queue.add_with("n", &1, options).await.unwrap();
    }
    assert_eq!(kinds(&mut again, 50).await, [JobEventKind::Added; 50]);
}

#[tokio::test]
async fn a_stream_that_was_deleted_is_a_gap_and_then_a_new_one() {
    let store = Store::new();
    let queue = queue(&store);
    let mut events = queue.events();
    queue.add("n", &1).await.unwrap();
    assert_eq!(kinds(&mut events, 1).await, [JobEventKind::Added]);
    let cursor = events.cursor().unwrap();
    let _: i64 = store.command(&["DEL", &store.key("events")]);
    let mut again = queue.events_since(&cursor).unwrap();
    assert!(matches!(next(&mut again).await, Received::Gap));
    queue.add("n", &2).await.unwrap();
    assert_eq!(kinds(&mut again, 1).await, [JobEventKind::Added]);
}

#[tokio::test]
async fn the_cursor_of_one_event_does_not_do_for_all_queues() {
    let store = Store::new();
    let queue = queue(&store);
    let mut events = store.engine.events(None);
    queue.add("n", &1).await.unwrap();
    let Received::Event(added) = next(&mut events).await else {
        panic!("an event");
    };
    assert!(store.engine.events_since(None, &added.cursor).is_err());
    assert!(queue.events_since(&added.cursor).is_ok());
    // That of the subscription does for one of its queues too.
    let cursor = events.cursor().unwrap();
    assert!(queue.events_since(&cursor).is_ok());
    let text = cursor.to_string();
    assert!(text.starts_with("*:q:"), "{text}");
}

#[tokio::test]
async fn a_subscription_ends_with_its_engine() {
    let store = Store::new();
    let mut again = {
        let engine = store.second();
        let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
        let start = place(&queue.events()).await;
        queue.events_since(&start).unwrap()
    };
    let ended = tokio::time::timeout(crate::workbench::BOUND, again.next()).await;
    assert!(ended.expect("in time").is_none());
}
