//! Delays, priorities, ids and deduplication, set by one side and kept by the other.

use std::time::Duration;

use paceline_jobs::{Deduplication, JobOptions, State};
use serde_json::{Value, json};

use crate::ours::OurWorker;
use crate::world::{QUEUE, World, eventually};

/// The names of jobs in the order they are to run, with their options in both languages.
fn ranked() -> Vec<(&'static str, JobOptions, Value)> {
    let ours = |priority| JobOptions::new().priority(priority);
    vec![
        ("c", ours(7), json!({ "priority": 7 })),
        ("e", ours(2_097_151), json!({ "priority": 2_097_151 })),
        ("b", JobOptions::new(), json!({})),
        ("d", ours(7), json!({ "priority": 7 })),
        ("a", JobOptions::new().lifo(), json!({ "lifo": true })),
    ]
}

const ORDER: [&str; 5] = ["a", "b", "c", "d", "e"];

#[tokio::test(flavor = "multi_thread")]
async fn we_keep_the_order_that_node_asks_for() {
    let world = World::new().await;
    world.queue().pause().await.unwrap();
    for (name, _, options) in ranked() {
        let add = json!({ "queue": QUEUE, "name": name, "data": {}, "options": options });
        world.node.call("add", add).await;
    }
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    world.queue().resume().await.unwrap();
    eventually("five runs", async || {
        (worker.runs().len() == 5).then_some(())
    })
    .await;
    let names: Vec<String> = worker.runs().into_iter().map(|run| run.name).collect();
    assert_eq!(names, ORDER);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_keeps_the_order_that_we_ask_for() {
    let world = World::new().await;
    world.queue().pause().await.unwrap();
    for (name, options, _) in ranked() {
        world
            .queue()
            .add_with(name, &json!({}), options)
            .await
            .unwrap();
    }
    world.node_works(1).await;
    world.queue().resume().await.unwrap();
    eventually("five runs", async || {
        (world.node.all("ran").len() == 5).then_some(())
    })
    .await;
    let names: Vec<Value> = world
        .node
        .all("ran")
        .iter()
        .map(|run| run["name"].clone())
        .collect();
    assert_eq!(names, ORDER);
}

#[tokio::test(flavor = "multi_thread")]
async fn delays_hold_both_ways() {
    let world = World::new().await;
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    let id = world.node_adds(json!({}), json!({ "delay": 250 })).await;
    assert_eq!(world.seen_by_node(&id).await["state"], "delayed");
    let seen = world.node_sees(&id, "completed").await;
    let waited = seen["processedOn"].as_u64().unwrap() - seen["timestamp"].as_u64().unwrap();
    assert!(waited >= 250, "{waited} ms");
    drop(worker);

    world.node_works(1).await;
    let options = JobOptions::new().delay(Duration::from_millis(250));
    let id = world
        .queue()
        .add_with("n", &json!({}), options)
        .await
        .unwrap()
        .id;
    let job = world
        .we_see(id.as_str(), |job| job.state == State::Completed)
        .await;
    let waited = job.started_at.unwrap().saturating_since(job.created_at);
    assert!(waited >= Duration::from_millis(250), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_id_is_one_job_for_both() {
    let world = World::new().await;
    let theirs = world
        .node_adds(json!({ "from": "node" }), json!({ "jobId": "order-1" }))
        .await;
    let options = JobOptions::new().id("order-1").unwrap();
    let ours = world
        .queue()
        .add_with("n", &json!({ "from": "us" }), options)
        .await
        .unwrap();
    assert_eq!((ours.id.as_str(), ours.existing), (&*theirs, true));
    assert_eq!(
        world.seen_by_node("order-1").await["data"],
        json!({ "from": "node" })
    );

    let options = JobOptions::new().id("order-2").unwrap();
    let ours = world
        .queue()
        .add_with("n", &json!({ "from": "us" }), options)
        .await
        .unwrap();
    assert!(!ours.existing);
    world
        .node_adds(json!({ "from": "node" }), json!({ "jobId": "order-2" }))
        .await;
    assert_eq!(
        world.seen_by_node("order-2").await["data"],
        json!({ "from": "us" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deduplication_holds_for_both_and_ends_with_the_job() {
    let world = World::new().await;
    let simple = || JobOptions::new().deduplication(Deduplication::simple("d").unwrap());
    let theirs = world
        .node_adds(json!({}), json!({ "deduplication": { "id": "d" } }))
        .await;
    let ours = world
        .queue()
        .add_with("n", &json!({}), simple())
        .await
        .unwrap();
    assert_eq!((ours.id.as_str(), ours.existing), (&*theirs, true));
    let again = world
        .node_adds(json!({}), json!({ "deduplication": { "id": "d" } }))
        .await;
    assert_eq!(again, theirs);

    // We end it, and with it the id is free again: we take it, and Node is refused.
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    world.node_sees(&theirs, "completed").await;
    drop(worker);
    world.queue().pause().await.unwrap();
    let ours = world
        .queue()
        .add_with("n", &json!({}), simple())
        .await
        .unwrap();
    assert!(!ours.existing);
    let again = world
        .node_adds(json!({}), json!({ "deduplication": { "id": "d" } }))
        .await;
    assert_eq!(again, ours.id.as_str());

    // Node ends it, and it is free for us.
    world.node_works(1).await;
    world.queue().resume().await.unwrap();
    world
        .we_see(ours.id.as_str(), |job| job.state == State::Completed)
        .await;
    let next = world
        .queue()
        .add_with("n", &json!({}), simple())
        .await
        .unwrap();
    assert!(
        !next.existing,
        "the id was free after Node completed its job"
    );
}
