//! What became of a job, seen by the side that did not run it.

use std::time::Duration;

use paceline_jobs::{Backoff, JobOptions, State};
use serde_json::{Value, json};

use crate::ours::OurWorker;
use crate::world::{QUEUE, World, text, value};

/// Payloads that JSON can carry and a careless program would change.
fn payloads() -> [Value; 6] {
    [
        json!({ "answer": { "text": "žluťoučký kůň 🐎", "nothing": null } }),
        json!({ "answer": [] }),
        json!({ "answer": {}, "list": [] }),
        json!({ "answer": [1, 2.5, -3, 1e21, 9_007_199_254_740_991_i64] }),
        json!({ "answer": "\u{0}\n\"\\" }),
        json!({ "answer": false }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn node_adds_and_we_run() {
    let world = World::new().await;
    let worker = OurWorker::start(&world.engine, QUEUE, 4);
    for data in payloads() {
        let id = world.node_adds(data.clone(), json!({})).await;
        let seen = world.node_sees(&id, "completed").await;
        assert_eq!(seen["data"], data);
        assert_eq!(seen["returnvalue"], data["answer"], "{data}");
        assert_eq!(seen["attemptsMade"], 1);
        assert!(seen["finishedOn"].as_u64() >= seen["processedOn"].as_u64());
        let ours = world.we_see(&id, |job| job.state == State::Completed).await;
        assert_eq!(value(&ours.data), data);
        assert_eq!(value(ours.result.as_ref().unwrap()), data["answer"]);
    }
    assert_eq!(worker.runs().len(), payloads().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn we_add_and_node_runs() {
    let world = World::new().await;
    world.node_works(4).await;
    for data in payloads() {
        let id = world.queue().add("n", &data).await.unwrap().id;
        let ours = world
            .we_see(id.as_str(), |job| job.state == State::Completed)
            .await;
        assert_eq!(value(&ours.data), data);
        assert_eq!(
            value(ours.result.as_ref().unwrap()),
            data["answer"],
            "{data}"
        );
        assert_eq!((ours.attempts_made, ours.starts), (1, 1));
        assert!(ours.finished_at >= ours.started_at && ours.started_at.is_some());
        let seen = world.seen_by_node(id.as_str()).await;
        assert_eq!((&seen["data"], &seen["name"]), (&data, &json!("n")));
    }
    assert_eq!(world.node.all("ran").len(), payloads().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn bulks_arrive_in_order_both_ways() {
    let world = World::new().await;
    let jobs: Vec<Value> = (0..20)
        .map(|n| json!({ "name": "n", "data": { "answer": n } }))
        .collect();
    let bulk = json!({ "queue": QUEUE, "jobs": jobs });
    let theirs = world.node.call("addBulk", bulk).await;
    let data: Vec<Value> = (0..20).map(|n| json!({ "answer": n })).collect();
    let ours = data.iter().map(|data| ("n", data, JobOptions::new()));
    let ours = world.queue().add_bulk(ours).await.unwrap();
    let theirs = theirs.as_array().unwrap().iter().map(text);
    let expected: Vec<String> = theirs
        .chain(ours.iter().map(|added| added.id.to_string()))
        .collect();
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    world.node_sees(expected.last().unwrap(), "completed").await;
    assert_eq!(worker.jobs(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_and_logs_cross_over() {
    let world = World::new().await;
    let data = json!({ "progress": { "done": 7 }, "log": "half way", "answer": 1 });
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    let id = world.node_adds(data.clone(), json!({})).await;
    let seen = world.node_sees(&id, "completed").await;
    assert_eq!(seen["progress"], data["progress"]);
    assert_eq!(seen["logs"], json!(["half way"]));
    drop(worker);

    world.node_works(1).await;
    let id = world.queue().add("n", &data).await.unwrap().id;
    let ours = world
        .we_see(id.as_str(), |job| job.state == State::Completed)
        .await;
    assert_eq!(value(ours.progress.as_ref().unwrap()), data["progress"]);
    let logs = world
        .engine
        .logs(world.queue().name(), &id, paceline_jobs::Page::default());
    assert_eq!(logs.await.unwrap().lines, ["half way"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_failures_are_retried_with_backoff_and_seen_by_node() {
    let world = World::new().await;
    let worker = OurWorker::start(&world.engine, QUEUE, 1);
    let fail = json!({ "fail": { "times": 2, "message": "not yet" }, "answer": "at last" });
    let backoff = json!({ "type": "exponential", "delay": 40 });
    let id = world
        .node_adds(fail, json!({ "attempts": 5, "backoff": backoff }))
        .await;
    let seen = world.node_sees(&id, "completed").await;
    assert_eq!(
        (&seen["attemptsMade"], &seen["returnvalue"]),
        (&json!(3), &json!("at last"))
    );
    let attempts: Vec<u32> = worker.runs().iter().map(|run| run.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    let took = seen["processedOn"].as_u64().unwrap() - seen["timestamp"].as_u64().unwrap();
    assert!(took >= 120, "the waits of 40 and 80 ms were {took} ms");

    let forever = json!({ "fail": { "times": 9, "message": "never" } });
    let id = world.node_adds(forever, json!({ "attempts": 2 })).await;
    let seen = world.node_sees(&id, "failed").await;
    assert_eq!(
        (&seen["attemptsMade"], &seen["failedReason"]),
        (&json!(2), &json!("never"))
    );

    let hopeless = json!({ "fail": { "times": 9, "message": "no use", "unrecoverable": true } });
    let id = world.node_adds(hopeless, json!({ "attempts": 5 })).await;
    let seen = world.node_sees(&id, "failed").await;
    assert_eq!(
        (&seen["attemptsMade"], &seen["failedReason"]),
        (&json!(1), &json!("no use"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_node_are_retried_with_our_backoff_and_seen_by_us() {
    let world = World::new().await;
    world.node_works(1).await;
    let fail = json!({ "fail": { "times": 2, "message": "not yet" }, "answer": "at last" });
    let options = JobOptions::new().attempts(5);
    let options = options.backoff(Backoff::exponential(Duration::from_millis(40)));
    let id = world
        .queue()
        .add_with("n", &fail, options)
        .await
        .unwrap()
        .id;
    let job = world
        .we_see(id.as_str(), |job| job.state == State::Completed)
        .await;
    assert_eq!((job.attempts_made, job.max_attempts, job.starts), (3, 5, 3));
    let took = job.started_at.unwrap().saturating_since(job.created_at);
    assert!(took >= Duration::from_millis(120), "{took:?}");

    let forever = json!({ "fail": { "times": 9, "message": "never" } });
    let options = JobOptions::new().attempts(2);
    let id = world
        .queue()
        .add_with("n", &forever, options)
        .await
        .unwrap()
        .id;
    let job = world
        .we_see(id.as_str(), |job| job.state == State::Failed)
        .await;
    assert_eq!(
        (job.attempts_made, job.failed_reason.as_deref()),
        (2, Some("never"))
    );
}
