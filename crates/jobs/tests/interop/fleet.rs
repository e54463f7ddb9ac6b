//! Producers and workers of every kind on one queue, and a ledger of what was promised and what was done.

use std::collections::HashMap;

use paceline_jobs::{JobOptions, Queue, State};
use serde_json::{Value, json};

use crate::ours::OurWorker;
use crate::peer::Peer;
use crate::world::{QUEUE, World, eventually, text};

/// What each producer adds.
const EACH: usize = 200;

/// Ids of jobs whose adds were answered, and how often each was run by whom.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    acknowledged: Vec<String>,
    runs: HashMap<String, u32>,
}

impl Ledger {
    pub(crate) fn of(acknowledged: Vec<String>) -> Self {
        Self {
            acknowledged,
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.acknowledged.len()
    }

    pub(crate) fn ran(&mut self, jobs: impl IntoIterator<Item = String>) {
        for job in jobs {
            *self.runs.entry(job).or_default() += 1;
        }
    }

    /// Each acknowledged job was run exactly once, and nothing else was: no lease ended here.
    pub(crate) fn check(&self) {
        let lost: Vec<_> = self
            .acknowledged
            .iter()
            .filter(|id| !self.runs.contains_key(*id))
            .collect();
        assert!(lost.is_empty(), "acknowledged, but never run: {lost:?}");
        let twice: Vec<_> = self.runs.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "run more than once: {twice:?}");
        assert_eq!(
            self.runs.len(),
            self.acknowledged.len(),
            "run without an add"
        );
    }
}

/// Delays, priorities and LIFO in turns, so that jobs take every way into the workers' hands.
fn options(number: usize) -> (JobOptions, Value) {
    let priority = u32::try_from(number % 7).unwrap();
    match number % 4 {
        0 => (JobOptions::new(), json!({})),
        1 => (
            JobOptions::new().delay(std::time::Duration::from_millis(30)),
            json!({ "delay": 30 }),
        ),
        2 => (
            JobOptions::new().priority(priority),
            json!({ "priority": priority }),
        ),
        _ => (JobOptions::new().lifo(), json!({ "lifo": true })),
    }
}

pub(crate) async fn peer_adds(peer: &Peer, from: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..EACH / 2 {
        let (_, options) = options(number);
        let command = json!({ "queue": QUEUE, "name": from, "data": { "answer": number }, "options": options });
        ids.push(text(&peer.call("add", command).await));
    }
    let bulk = |number| json!({ "name": from, "data": { "answer": number }, "options": options(number).1 });
    let jobs: Vec<Value> = (EACH / 2..EACH).map(bulk).collect();
    let added = peer
        .call("addBulk", json!({ "queue": QUEUE, "jobs": jobs }))
        .await;
    ids.extend(added.as_array().unwrap().iter().map(text));
    ids
}

pub(crate) async fn we_add(queue: &Queue<Value>) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..EACH / 2 {
        let data = json!({ "answer": number });
        let added = queue.add_with("ours", &data, options(number).0).await;
        ids.push(added.unwrap().id.to_string());
    }
    let data: Vec<Value> = (EACH / 2..EACH)
        .map(|number| json!({ "answer": number }))
        .collect();
    let jobs = data
        .iter()
        .zip(EACH / 2..)
        .map(|(data, number)| ("ours", data, options(number).0));
    let added = queue.add_bulk(jobs).await.unwrap();
    ids.extend(added.into_iter().map(|added| added.id.to_string()));
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_four_programs_add_and_work_is_done_exactly_once() {
    let world = World::new().await;
    let python = Peer::python(&world.redis).await;
    let rust = Peer::rust(&world.redis).await;
    let worker = OurWorker::start(&world.engine, QUEUE, 4);
    world.node_works(4).await;
    for peer in [&python, &rust] {
        let command = json!({ "worker": "other", "queue": QUEUE, "concurrency": 4 });
        peer.call("work", command).await;
    }
    let queue = world.queue();
    let (theirs, pythons, rusts, ours) = tokio::join!(
        peer_adds(&world.node, "node"),
        peer_adds(&python, "python"),
        peer_adds(&rust, "rust"),
        we_add(&queue)
    );
    let mut ledger = Ledger::of([theirs, pythons, rusts, ours].concat());
    let all = u64::try_from(ledger.acknowledged.len()).unwrap();
    let counts = eventually("everything to be completed", async || {
        let counts = world.queue().info().await.unwrap().unwrap().counts;
        (counts.of(State::Completed) + counts.of(State::Failed) >= all).then_some(counts)
    })
    .await;
    assert_eq!((counts.completed, counts.failed), (all, 0));
    let ran = |peer: &Peer| -> Vec<String> {
        peer.all("ran")
            .iter()
            .map(|run| text(&run["job"]))
            .collect()
    };
    let shares = [worker.jobs(), ran(&world.node), ran(&python), ran(&rust)];
    assert!(
        shares.iter().all(|share| !share.is_empty()),
        "each had its part"
    );
    for share in shares {
        ledger.ran(share);
    }
    ledger.check();
    for id in &ledger.acknowledged {
        let job = world.we_see(id, |_| true).await;
        assert_eq!(
            (job.state, job.attempts_made, job.starts),
            (State::Completed, 1, 1),
            "job {id}"
        );
    }
}
