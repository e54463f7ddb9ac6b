//! What is set for a queue by one side binds the other.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::{QueueSettings, StartLimit, State};
use serde_json::json;

use crate::ours::OurWorker;
use crate::world::{QUEUE, World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_either_holds_for_both() {
    let world = World::new().await;
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    world.node_works(1).await;
    for by_node in [true, false] {
        if by_node {
            world.node.call("pause", json!({ "queue": QUEUE })).await;
            assert!(world.queue().info().await.unwrap().unwrap().paused);
        } else {
            world.queue().pause().await.unwrap();
            let paused = world.node.call("isPaused", json!({ "queue": QUEUE })).await;
            assert_eq!(paused, json!(true));
        }
        let before = worker.runs().len() + world.node.all("ran").len();
        let theirs = world.node_adds(json!({}), json!({})).await;
        let ours = world.queue().add("n", &json!({})).await.unwrap().id;
        // Workers that look while it is paused find nothing: both ask on every wake-up.
        world
            .node
            .call(
                "redis",
                json!({ "words": ["ZADD", "bull:work:marker", 0, "0"] }),
            )
            .await;
        eventually("the marker to be taken", async || {
            let left = world
                .node
                .call("redis", json!({ "words": ["ZCARD", "bull:work:marker"] }));
            (left.await == json!(0)).then_some(())
        })
        .await;
        let ran = worker.runs().len() + world.node.all("ran").len();
        assert_eq!(ran, before, "nothing runs while paused");
        if by_node {
            world.queue().resume().await.unwrap();
        } else {
            world.node.call("resume", json!({ "queue": QUEUE })).await;
        }
        world.node_sees(&theirs, "completed").await;
        world
            .we_see(ours.as_str(), |job| job.state == State::Completed)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn global_concurrency_of_node_binds_workers_of_both() {
    let world = World::new().await;
    let command = json!({ "queue": QUEUE, "concurrency": 2 });
    world.node.call("setGlobalConcurrency", command).await;
    let settings = world.queue().info().await.unwrap().unwrap().settings;
    assert_eq!(settings.concurrency, NonZeroU32::new(2));
    world.node_works(4).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(world.node_adds(json!({ "hold": true }), json!({})).await);
    }
    // Two are held by Node; ours must leave the others alone though it has room.
    eventually("two to be held", async || {
        (world.node.all("ran").len() == 2).then_some(())
    })
    .await;
    let worker = OurWorker::start(&world.engine, QUEUE, 4);
    eventually("our worker to have looked", async || {
        worker.worker.last_fetch()
    })
    .await;
    assert!(worker.runs().is_empty());
    let counts = world.queue().info().await.unwrap().unwrap().counts;
    assert_eq!((counts.active, counts.waiting), (2, 2));
    let held: Vec<_> = world
        .node
        .all("ran")
        .iter()
        .map(|run| run["job"].clone())
        .collect();
    for job in held {
        world.node.call("release", json!({ "job": job })).await;
    }
    let none = QueueSettings::default();
    world
        .engine
        .set_settings(world.queue().name(), none)
        .await
        .unwrap();
    // Those that Node takes of the rest hold again.
    for id in ids {
        eventually("all to end", async || {
            let _ = world.node.try_call("release", json!({ "job": id })).await;
            (world.seen_by_node(&id).await["state"] == "completed").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_of_ours_binds_workers_of_node() {
    let world = World::new().await;
    let limit = StartLimit {
        max: NonZeroU32::new(2).unwrap(),
        per: Duration::from_mins(10),
    };
    let settings = QueueSettings::default().rate(Some(limit));
    world
        .engine
        .set_settings(world.queue().name(), settings)
        .await
        .unwrap();
    for _ in 0..5 {
        world.queue().add("n", &json!({})).await.unwrap();
    }
    world.node_works(5).await;
    let worker = OurWorker::start(&world.engine, QUEUE, 5);
    eventually("two runs", async || {
        (world.node.all("ran").len() + worker.runs().len() >= 2).then_some(())
    })
    .await;
    eventually("our worker to have looked", async || {
        worker.worker.last_fetch()
    })
    .await;
    let counts = eventually("the two to end", async || {
        let counts = world.queue().info().await.unwrap().unwrap().counts;
        (counts.active == 0).then_some(counts)
    })
    .await;
    assert_eq!((counts.completed, counts.waiting), (2, 3));
}
