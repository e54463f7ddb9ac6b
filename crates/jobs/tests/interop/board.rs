//! Bull Board's HTTP API on a queue of ours, unchanged: what its users click.

use std::time::Duration;

use paceline_jobs::{Flow, JobOptions, State};
use serde_json::{Value, json};

use crate::ours::OurWorker;
use crate::world::{QUEUE, World, eventually};

struct Board {
    world: World,
}

impl Board {
    /// The board of a queue that our engine made; Node's part is the board alone.
    async fn new() -> Self {
        let world = World::new().await;
        world.queue().pause().await.unwrap();
        world.queue().resume().await.unwrap();
        world.node.call("board", json!({ "queues": [QUEUE] })).await;
        Self { world }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let mut ask = json!({ "method": method, "path": path });
        if let Some(body) = body {
            ask["body"] = body;
        }
        let answer = self.world.node.call("ask", ask).await;
        let status = answer["status"].as_u64().unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        answer["body"].clone()
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).await
    }

    async fn put(&self, path: &str) {
        self.ask("PUT", path, None).await;
    }

    /// The queue as the board lists it, with the jobs of one state.
    async fn listed(&self, state: &str) -> Value {
        let path = format!("/queues?activeQueue={QUEUE}&status={state}&page=1&jobsPerPage=50");
        let listed = self.get(&path).await;
        listed["queues"][0].clone()
    }

    async fn ids(&self, state: &str) -> Vec<String> {
        let listed = self.listed(state).await;
        let jobs = listed["jobs"].as_array().unwrap();
        jobs.iter()
            .map(|job| crate::world::text(&job["id"]))
            .collect()
    }

    async fn add(&self, data: Value, options: JobOptions) -> String {
        let added = self
            .world
            .queue()
            .add_with("n", &data, options)
            .await
            .unwrap();
        added.id.to_string()
    }
}

fn failing() -> Value {
    json!({ "fail": { "times": 1, "message": "broken" }, "log": "tried", "answer": "mended" })
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lists_counts_and_shows_our_jobs() {
    let board = Board::new().await;
    let later = JobOptions::new().delay(Duration::from_mins(10));
    let delayed = board.add(json!({ "to": "ada" }), later).await;
    let worker = OurWorker::start(&board.world.engine, QUEUE, 1);
    let done = board
        .add(json!({ "answer": 7, "progress": 50 }), JobOptions::new())
        .await;
    let failed = board.add(failing(), JobOptions::new()).await;
    board.world.node_sees(&done, "completed").await;
    board.world.node_sees(&failed, "failed").await;

    let listed = board.listed("failed").await;
    let counts = &listed["counts"];
    for (state, count) in [
        ("completed", 1),
        ("failed", 1),
        ("delayed", 1),
        ("waiting", 0),
    ] {
        assert_eq!(counts[state], count, "{counts}");
    }
    assert_eq!(board.ids("failed").await, [failed.as_str()]);
    assert_eq!(board.ids("delayed").await, [delayed.as_str()]);
    let shown = board.get(&format!("/queues/{QUEUE}/{failed}")).await;
    assert_eq!(shown["status"], "failed");
    assert_eq!(shown["job"]["failedReason"], "broken");
    let logs = board.get(&format!("/queues/{QUEUE}/{failed}/logs")).await;
    assert!(logs.to_string().contains("tried"), "{logs}");
    let shown = board.get(&format!("/queues/{QUEUE}/{done}")).await;
    assert_eq!(
        (&shown["job"]["returnValue"], &shown["job"]["progress"]),
        (&json!(7), &json!(50))
    );

    let workers = eventually("our worker to be listed", async || {
        let workers = board.get(&format!("/queues/{QUEUE}/workers")).await;
        (workers["workers"]
            .as_array()
            .is_some_and(|list| !list.is_empty()))
        .then_some(workers)
    })
    .await;
    assert_eq!(workers["workers"].as_array().unwrap().len(), 1, "{workers}");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_retries_promotes_and_removes_our_jobs() {
    let board = Board::new().await;
    let worker = OurWorker::start(&board.world.engine, QUEUE, 1);
    let [one, two] = [
        board.add(failing(), JobOptions::new()).await,
        board.add(failing(), JobOptions::new()).await,
    ];
    for id in [&one, &two] {
        board.world.node_sees(id, "failed").await;
    }
    board.put(&format!("/queues/{QUEUE}/{one}/retry")).await;
    let seen = board.world.node_sees(&one, "completed").await;
    assert_eq!(seen["returnvalue"], "mended");
    board.put(&format!("/queues/{QUEUE}/retry/failed")).await;
    board.world.node_sees(&two, "completed").await;

    let later = || JobOptions::new().delay(Duration::from_mins(10));
    let one = board.add(json!({}), later()).await;
    board.put(&format!("/queues/{QUEUE}/{one}/promote")).await;
    board.world.node_sees(&one, "completed").await;
    let two = board.add(json!({}), later()).await;
    board.put(&format!("/queues/{QUEUE}/promote")).await;
    board.world.node_sees(&two, "completed").await;

    let gone = board.add(json!({}), later()).await;
    board.put(&format!("/queues/{QUEUE}/{gone}/clean")).await;
    let id = paceline_jobs::JobId::lookup(&gone);
    assert!(board.world.queue().get(&id).await.unwrap().is_none());
    board.put(&format!("/queues/{QUEUE}/clean/completed")).await;
    let counts = board.world.queue().info().await.unwrap().unwrap().counts;
    // The board cleans what is older than its grace.
    assert!(counts.of(State::Completed) <= 4, "{counts:?}");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pauses_resumes_empties_and_adds() {
    let board = Board::new().await;
    board.put(&format!("/queues/{QUEUE}/pause")).await;
    let worker = OurWorker::start(&board.world.engine, QUEUE, 1);
    let waiting = board.add(json!({}), JobOptions::new()).await;
    assert!(board.listed("waiting").await["isPaused"] == true);
    board.put(&format!("/queues/{QUEUE}/empty")).await;
    let id = paceline_jobs::JobId::lookup(&waiting);
    assert!(board.world.queue().get(&id).await.unwrap().is_none());
    board.put(&format!("/queues/{QUEUE}/resume")).await;
    assert!(!board.world.queue().info().await.unwrap().unwrap().paused);
    let body = json!({ "name": "n", "data": { "answer": "from the board" }, "options": { "attempts": 2 } });
    let added = board
        .ask("POST", &format!("/queues/{QUEUE}/add"), Some(body))
        .await;
    let id = crate::world::text(&added["job"]["id"]);
    let job = board
        .world
        .we_see(&id, |job| job.state == State::Completed)
        .await;
    assert_eq!(
        (job.max_attempts, job.result.unwrap().get()),
        (2, "\"from the board\"")
    );
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_our_trees_and_changes_our_payloads() {
    let board = Board::new().await;
    let leaf = Flow::new(QUEUE, "leaf", &json!({ "answer": 1 }), JobOptions::new()).unwrap();
    let root = Flow::new(
        QUEUE,
        "root",
        &json!({ "children": true }),
        JobOptions::new(),
    )
    .unwrap();
    board.world.queue().pause().await.unwrap();
    let added = board.world.engine.add_flow(root.child(leaf)).await.unwrap();
    let (root, leaf) = (added.job.id.as_str(), added.children[0].job.id.as_str());
    let tree = board
        .get(&format!("/queues/{QUEUE}/{root}/flow"))
        .await
        .to_string();
    assert!(tree.contains(root) && tree.contains(leaf), "{tree}");
    let body = json!({ "jobData": { "answer": "changed" } });
    let path = format!("/queues/{QUEUE}/{leaf}/update-data");
    board.ask("PATCH", &path, Some(body)).await;
    let body = json!({ "concurrency": 1 });
    board
        .ask("PUT", &format!("/queues/{QUEUE}/concurrency"), Some(body))
        .await;
    let settings = board.world.queue().info().await.unwrap().unwrap().settings;
    assert_eq!(settings.concurrency.map(u32::from), Some(1));
    let worker = OurWorker::start(&board.world.engine, QUEUE, 2);
    board.world.queue().resume().await.unwrap();
    let job = board
        .world
        .we_see(root, |job| job.state == State::Completed)
        .await;
    assert_eq!(job.result.unwrap().get(), "[\"changed\"]");
    drop(worker);
}
