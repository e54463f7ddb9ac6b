//! BullMQ for Rust, the official port, on the other side.

use paceline_jobs::{Flow, JobOptions, Shutdown, State};
use serde_json::{Value, json};

use crate::ours::{self, OurWorker};
use crate::pair::pair_tests;
use crate::peer::Peer;
use crate::redis_server::RedisServer;
use crate::world::{QUEUE, eventually, text, value, we_see};

pair_tests! { Peer::rust:
    nothing_is_lost_or_doubled
    priorities_order
    delays_hold
    ids_are_shared
    deduplication_is_shared
    failures_are_retried
    schedulers_are_carried_on
}

#[tokio::test(flavor = "multi_thread")]
async fn results_and_progress_go_both_ways() {
    let redis = RedisServer::start();
    let (rust, engine) = (Peer::rust(&redis).await, ours::open(&redis).await);
    let data = json!({ "progress": { "done": 3 }, "answer": { "text": "žluťoučký", "list": [] } });
    let worker = OurWorker::start(&engine, QUEUE, 1);
    let add = json!({ "queue": QUEUE, "name": "n", "data": data });
    let id = text(&rust.call("add", add).await);
    let job = eventually("Rust to see the job completed", async || {
        let look = json!({ "queue": QUEUE, "job": id });
        let job: Value = rust.call("job", look).await;
        (job["state"] == "completed").then_some(job)
    })
    .await;
    assert_eq!(
        (&job["returnvalue"], &job["progress"]),
        (&data["answer"], &data["progress"])
    );
    assert_eq!((&job["data"], &job["attemptsMade"]), (&data, &json!(1)));
    worker.worker.stop(std::time::Duration::from_secs(5)).await;

    let work = json!({ "worker": "rust", "queue": QUEUE });
    rust.call("work", work).await;
    let queue = engine.typed_queue::<Value>(QUEUE).unwrap();
    let id = queue.add("n", &data).await.unwrap().id;
    let done = |job: &paceline_jobs::JobSnapshot| job.state == State::Completed;
    let job = we_see(&engine, QUEUE, id.as_str(), done).await;
    assert_eq!(value(job.result.as_ref().unwrap()), data["answer"]);
    assert_eq!(value(job.progress.as_ref().unwrap()), data["progress"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_grow_on_either_side_and_are_worked_on_the_other() {
    let redis = RedisServer::start();
    let (rust, engine) = (Peer::rust(&redis).await, ours::open(&redis).await);
    let child = |n: u32| json!({ "name": "child", "queueName": QUEUE, "data": { "answer": n } });
    let tree = json!({
        "name": "parent", "queueName": "parents", "data": { "children": true }, "children": [child(1), child(2)],
    });
    let added = rust.call("flow", json!({ "tree": tree })).await;
    let workers = [
        OurWorker::start(&engine, "parents", 1),
        OurWorker::start(&engine, QUEUE, 1),
    ];
    let done = |job: &paceline_jobs::JobSnapshot| job.state == State::Completed;
    let parent = we_see(&engine, "parents", &text(&added["id"]), done).await;
    assert_eq!(parent.result.unwrap().get(), "[1,2]");
    drop(workers);

    for queue in ["parents", QUEUE] {
        let work = json!({ "worker": queue, "queue": queue });
        rust.call("work", work).await;
    }
    let node = |queue: &str, data: Value| Flow::new(queue, "n", &data, JobOptions::new()).unwrap();
    let tree = node("parents", json!({ "children": true }))
        .child(node(QUEUE, json!({ "answer": 3 })))
        .child(node(QUEUE, json!({ "answer": 4 })));
    let added = engine.add_flow(tree).await.unwrap();
    let parent = we_see(&engine, "parents", added.job.id.as_str(), done).await;
    assert_eq!(parent.result.unwrap().get(), "[3,4]");
}
