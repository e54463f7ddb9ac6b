//! BullMQ for Python on the other side.

use paceline_jobs::{Flow, JobOptions, State};
use serde_json::{Value, json};

use crate::ours::{self, OurWorker};
use crate::pair::pair_tests;
use crate::peer::Peer;
use crate::redis_server::RedisServer;
use crate::world::{QUEUE, eventually, text, value, we_see};

pair_tests! { Peer::python:
    nothing_is_lost_or_doubled
    priorities_order
    delays_hold
    ids_are_shared
    deduplication_is_shared
    failures_are_retried
    schedulers_are_carried_on
}

async fn seen(python: &Peer, id: &str, state: &str) -> Value {
    eventually(&format!("Python to see job {id} {state}"), async || {
        let job = python
            .call("job", json!({ "queue": QUEUE, "job": id }))
            .await;
        (job["state"] == state).then_some(job)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn python_adds_and_we_run() {
    let redis = RedisServer::start();
    let (python, engine) = (Peer::python(&redis).await, ours::open(&redis).await);
    let worker = OurWorker::start(&engine, QUEUE, 2);
    let data = json!({ "progress": 3, "answer": { "text": "žluťoučký", "list": [] } });
    let add = json!({ "queue": QUEUE, "name": "n", "data": data });
    let id = text(&python.call("add", add).await);
    let job = seen(&python, &id, "completed").await;
    assert_eq!(
        (&job["returnvalue"], &job["progress"]),
        (&data["answer"], &json!(3))
    );
    assert_eq!((&job["data"], &job["attemptsMade"]), (&data, &json!(1)));

    let data = json!({ "fail": { "times": 1, "message": "once" }, "answer": 2 });
    let options =
        json!({ "attempts": 3, "priority": 5, "backoff": { "type": "fixed", "delay": 20 } });
    let add = json!({ "queue": QUEUE, "name": "n", "data": data, "options": options });
    let id = text(&python.call("add", add).await);
    let job = seen(&python, &id, "completed").await;
    assert_eq!(
        (&job["returnvalue"], &job["attemptsMade"]),
        (&json!(2), &json!(2))
    );

    let jobs: Vec<Value> = (0..5)
        .map(|n| json!({ "name": "b", "data": { "answer": n } }))
        .collect();
    let bulk = python
        .call("addBulk", json!({ "queue": QUEUE, "jobs": jobs }))
        .await;
    for id in bulk.as_array().unwrap() {
        seen(&python, &text(id), "completed").await;
    }
    assert_eq!(worker.runs().len(), 1 + 2 + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn we_add_and_python_runs() {
    let redis = RedisServer::start();
    let (python, engine) = (Peer::python(&redis).await, ours::open(&redis).await);
    python
        .call(
            "work",
            json!({ "worker": "python", "queue": QUEUE, "concurrency": 2 }),
        )
        .await;
    let queue = engine.typed_queue::<Value>(QUEUE).unwrap();
    let data = json!({ "progress": 3, "answer": { "text": "žluťoučký", "list": [] } });
    let id = queue.add("n", &data).await.unwrap().id;
    let job = we_see(&engine, QUEUE, id.as_str(), |job| {
        job.state == State::Completed
    })
    .await;
    assert_eq!(value(job.result.as_ref().unwrap()), data["answer"]);
    assert_eq!(value(job.progress.as_ref().unwrap()), json!(3));

    let data = json!({ "fail": { "times": 9, "message": "for good" } });
    let options = JobOptions::new().attempts(2);
    let id = queue.add_with("n", &data, options).await.unwrap().id;
    let job = we_see(&engine, QUEUE, id.as_str(), |job| {
        job.state == State::Failed
    })
    .await;
    assert_eq!(
        (job.attempts_made, job.failed_reason.as_deref()),
        (2, Some("for good"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_grow_in_either_language_and_are_worked_in_the_other() {
    let redis = RedisServer::start();
    let (python, engine) = (Peer::python(&redis).await, ours::open(&redis).await);
    let child = |n: u32| json!({ "name": "child", "queueName": QUEUE, "data": { "answer": n } });
    let tree = json!({
        "name": "parent", "queueName": "parents", "data": { "children": true }, "children": [child(1), child(2)],
    });
    let added = python.call("flow", json!({ "tree": tree })).await;
    let workers = [
        OurWorker::start(&engine, "parents", 1),
        OurWorker::start(&engine, QUEUE, 1),
    ];
    let id = text(&added["id"]);
    let parent = we_see(&engine, "parents", &id, |job| job.state == State::Completed).await;
    assert_eq!(parent.result.unwrap().get(), "[1,2]");
    drop(workers);

    for queue in ["parents", QUEUE] {
        python
            .call("work", json!({ "worker": queue, "queue": queue }))
            .await;
    }
    let child =
        |n: u32| Flow::new(QUEUE, "child", &json!({ "answer": n }), JobOptions::new()).unwrap();
    let tree = Flow::new(
        "parents",
        "parent",
        &json!({ "children": true }),
        JobOptions::new(),
    )
    .unwrap();
    let added = engine
        .add_flow(tree.child(child(3)).child(child(4)))
        .await
        .unwrap();
    let id = added.job.id.as_str();
    let parent = we_see(&engine, "parents", id, |job| job.state == State::Completed).await;
    assert_eq!(parent.result.unwrap().get(), "[3,4]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_either_is_seen_by_the_other() {
    let redis = RedisServer::start();
    let (python, engine) = (Peer::python(&redis).await, ours::open(&redis).await);
    let queue = engine.typed_queue::<Value>(QUEUE).unwrap();
    python.call("pause", json!({ "queue": QUEUE })).await;
    assert!(queue.info().await.unwrap().unwrap().paused);
    queue.resume().await.unwrap();
    assert_eq!(
        python.call("isPaused", json!({ "queue": QUEUE })).await,
        json!(false)
    );
    queue.pause().await.unwrap();
    assert_eq!(
        python.call("isPaused", json!({ "queue": QUEUE })).await,
        json!(true)
    );
}
