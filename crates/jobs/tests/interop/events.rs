//! What happens on one side, heard on the other.

use std::time::Duration;

use paceline_jobs::{JobEventKind, JobOptions, Received, State};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::ours::OurWorker;
use crate::peer::PATIENCE;
use crate::world::{QUEUE, World, text};

/// The names of the events of one job that Node heard, in order.
fn heard_by_node(world: &World, id: &str) -> Vec<String> {
    let events = world.node.all("event");
    let of_job = events.iter().filter(|event| event["jobId"] == id);
    of_job.map(|event| text(&event["event"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn queue_events_of_node_tell_what_we_do() {
    let world = World::new().await;
    world.node.call("events", json!({ "queue": QUEUE })).await;
    let data = json!({ "progress": 50, "fail": { "times": 1, "message": "once" }, "answer": { "ok": true } });
    let options = JobOptions::new()
        .attempts(2)
        .delay(Duration::from_millis(20));
    let id = world
        .queue()
        .add_with("n", &data, options)
        .await
        .unwrap()
        .id;
    let _worker = OurWorker::start(&world.engine, QUEUE, 1);
    let id = id.as_str();
    let of =
        |kind: &'static str| move |event: &Value| event["event"] == kind && event["jobId"] == id;
    let completed = world.node.heard("event", of("completed")).await;
    assert_eq!(completed["returnvalue"], json!({ "ok": true }));
    assert_eq!(world.node.heard("event", of("progress")).await["data"], 50);
    let names = heard_by_node(&world, id);
    let expected = [
        "added",
        "delayed",
        "waiting",
        "active",
        "progress",
        "waiting",
        "active",
        "progress",
        "completed",
    ];
    assert_eq!(names, expected);

    let data = json!({ "fail": { "times": 9, "message": "for good" } });
    let id = world.queue().add("n", &data).await.unwrap().id;
    let of = |event: &Value| event["event"] == "failed" && event["jobId"] == id.as_str();
    assert_eq!(
        world.node.heard("event", of).await["failedReason"],
        "for good"
    );

    world.queue().pause().await.unwrap();
    world
        .node
        .heard("event", |event| event["event"] == "paused")
        .await;
    let id = world.queue().add("n", &json!({})).await.unwrap().id;
    world.queue().remove(&id).await.unwrap();
    world.queue().resume().await.unwrap();
    world
        .node
        .heard("event", |event| event["event"] == "resumed")
        .await;
    assert_eq!(
        heard_by_node(&world, id.as_str()),
        ["added", "waiting", "removed"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_until_finished_of_node_ends_with_our_result_or_our_failure() {
    let world = World::new().await;
    let _worker = OurWorker::start(&world.engine, QUEUE, 1);
    let id = world
        .node_adds(json!({ "answer": [1, "two"] }), json!({}))
        .await;
    let wait = json!({ "queue": QUEUE, "job": id, "timeout": 20_000 });
    assert_eq!(
        world.node.call("waitUntilFinished", wait).await,
        json!([1, "two"])
    );
    let id = world
        .node_adds(
            json!({ "fail": { "times": 9, "message": "no" } }),
            json!({}),
        )
        .await;
    let wait = json!({ "queue": QUEUE, "job": id, "timeout": 20_000 });
    assert_eq!(
        world.node.try_call("waitUntilFinished", wait).await,
        Err("no".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn our_events_tell_what_node_does() {
    let world = World::new().await;
    let mut events = world.queue().events();
    let data = json!({ "progress": 50, "fail": { "times": 1, "message": "once" } });
    let id = world.node_adds(data, json!({ "attempts": 2 })).await;
    world.node_works(1).await;
    world.we_see(&id, |job| job.state == State::Completed).await;
    world.node.call("pause", json!({ "queue": QUEUE })).await;
    world.node.call("resume", json!({ "queue": QUEUE })).await;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&JobEventKind::Resumed) {
        let next = timeout(PATIENCE, events.next()).await;
        let Received::Event(event) = next.expect("in time").expect("the engine lives") else {
            panic!("no event was missed")
        };
        assert!(event.id.as_ref().is_none_or(|of| of.as_str() == id));
        kinds.push(event.event);
    }
    let expected = [
        JobEventKind::Added,
        JobEventKind::Active,
        JobEventKind::Progress,
        JobEventKind::Retrying,
        JobEventKind::Active,
        JobEventKind::Progress,
        JobEventKind::Completed,
        JobEventKind::Paused,
        JobEventKind::Resumed,
    ];
    assert_eq!(kinds, expected);
}
