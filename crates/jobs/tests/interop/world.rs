//! What most tests start with, and how they wait.

use std::time::{Duration, Instant};

use paceline_jobs::{EngineHandle, JobId, JobSnapshot, Queue, QueueName};
use serde_json::{Value, json};

use crate::ours;
use crate::peer::{PATIENCE, Peer};
use crate::redis_server::RedisServer;

/// The queue of most tests.
pub(crate) const QUEUE: &str = "work";

/// One Redis, BullMQ for Node on it, and our engine on it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) node: Peer,
    pub(crate) engine: EngineHandle,
    pub(crate) redis: RedisServer,
}

impl World {
    pub(crate) async fn new() -> Self {
        let redis = RedisServer::start();
        let engine = ours::open(&redis).await;
        Self {
            node: Peer::node(&redis).await,
            engine,
            redis,
        }
    }

    /// Our view of the queue.
    pub(crate) fn queue(&self) -> Queue<Value> {
        Queue::new(&self.engine, QUEUE).unwrap()
    }

    /// Adds with Node; gives the id.
    pub(crate) async fn node_adds(&self, data: Value, options: Value) -> String {
        let command = json!({ "queue": QUEUE, "name": "n", "data": data, "options": options });
        text(&self.node.call("add", command).await)
    }

    /// A worker of Node, called `node`.
    pub(crate) async fn node_works(&self, concurrency: u32) {
        let command = json!({ "worker": "node", "queue": QUEUE, "concurrency": concurrency });
        self.node.call("work", command).await;
    }

    /// The job as Node sees it.
    pub(crate) async fn seen_by_node(&self, id: &str) -> Value {
        self.node
            .call("job", json!({ "queue": QUEUE, "job": id }))
            .await
    }

    /// The job as Node sees it, once it is in that state.
    pub(crate) async fn node_sees(&self, id: &str, state: &str) -> Value {
        let wait = format!("Node to see job {id} {state}");
        eventually(&wait, async || {
            let job = self.seen_by_node(id).await;
            (job["state"] == state).then_some(job)
        })
        .await
    }

    /// The job as we see it, once that holds.
    pub(crate) async fn we_see(
        &self,
        id: &str,
        holds: impl Fn(&JobSnapshot) -> bool,
    ) -> JobSnapshot {
        we_see(&self.engine, QUEUE, id, holds).await
    }
}

/// The job as we see it, once that holds.
pub(crate) async fn we_see(
    engine: &EngineHandle,
    queue: &str,
    id: &str,
    holds: impl Fn(&JobSnapshot) -> bool,
) -> JobSnapshot {
    let (queue, id) = (QueueName::new(queue).unwrap(), JobId::lookup(id));
    let wait = format!("job {id} of {queue} to stand as expected");
    eventually(&wait, async || {
        let job = engine.get(&queue, &id).await.unwrap();
        job.filter(|job| holds(job))
    })
    .await
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A value that must be text.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// A raw value as a value.
pub(crate) fn value(raw: &serde_json::value::RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}
