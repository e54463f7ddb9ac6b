//! The same operations through BullMQ for Node and through our engine, each on a Redis of its own. After each
//! operation everything that is stored is compared. What differs on purpose is in `allowed`, with the reason.

mod allowed;
mod keyspace;
mod operation;
mod ours;
// A table: one line for what belongs together.
#[rustfmt::skip]
mod scenarios;
mod theirs;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use paceline_jobs::{QueueName, QueueSettings};
use serde_json::{Map, Value, json};

use crate::redis_server::RedisServer;
use crate::world::World;
use allowed::{ALLOWANCES, Difference};
use keyspace::{Facts, Telling};
use operation::{Answer, Labels, Operation};
use ours::Ours;
use theirs::Theirs;

/// Milliseconds in a minute.
const MINUTE: u64 = 60_000;

/// How long finished jobs are kept where nothing else is said.
const AGE_SECONDS: u64 = 3_600;

/// Both sides, and what was found.
struct Comparison {
    /// Node on its Redis.
    world: World,
    /// Our Redis, and our engine on it.
    redis: RedisServer,
    engine: paceline_jobs::EngineHandle,
    /// Names of the allowances that were needed.
    used: BTreeSet<&'static str>,
    /// One block of text for each scenario that differs.
    found: Vec<String>,
}

impl Comparison {
    async fn new() -> Self {
        let redis = RedisServer::start();
        Self {
            world: World::new().await,
            engine: crate::ours::open(&redis).await,
            redis,
            used: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    async fn run(&mut self, name: &str, operations: &[Operation]) {
        let (queue, children) = (name.to_owned(), format!("{name}-children"));
        self.world
            .node
            .call("open", json!({ "queue": queue }))
            .await;
        let mut ours = Ours {
            node: &self.world.node,
            port: self.redis.port,
            engine: self.engine.clone(),
            queue: QueueName::new(&queue).unwrap(),
            children: QueueName::new(&children).unwrap(),
            labels: Labels::default(),
            leases: HashMap::new(),
            settings: QueueSettings::default(),
        };
        let mut their_labels = Labels::default();
        let mut found = String::new();
        for operation in operations {
            let mut theirs = Theirs {
                node: &self.world.node,
                queue: queue.clone(),
                children: children.clone(),
                labels: std::mem::take(&mut their_labels),
                port: self.world.redis.port,
            };
            let after: String = format!("{operation:?}").chars().take(70).collect();
            let answers = (theirs.apply(operation).await, ours.apply(operation).await);
            their_labels = theirs.labels;
            compare_answers(&after, &answers, &mut found);
            let theirs = self
                .facts(self.world.redis.port, name, &mut their_labels)
                .await;
            let ours = self.facts(self.redis.port, name, &mut ours.labels).await;
            compare(&mut self.used, (name, &after), &theirs, &ours, &mut found);
            // What differs once differs ever after: the first operation that does is the one to look at.
            if !found.is_empty() {
                break;
            }
        }
        if !found.is_empty() {
            self.found.push(format!("scenario {name}\n{found}"));
        }
    }

    async fn facts(&self, port: u16, queue: &str, labels: &mut Labels) -> Facts {
        let command = json!({ "port": port, "pattern": format!("bull:{queue}*") });
        let dump: Value = self.world.node.call("dump", command).await;
        let now = dump["now"].as_f64().unwrap();
        let keys: &Map<String, Value> = dump["keys"].as_object().unwrap();
        let mine = |key: &String| {
            let name = key.split(':').nth(1).unwrap_or_default();
            name == queue || name == format!("{queue}-children")
        };
        let keys = keys.iter().filter(|(key, _)| mine(key));
        let keys = keys
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        name_kept_jobs(&keys, labels);
        Telling { labels, now }.facts(&keys)
    }
}

/// A deduplicated add that was kept for later becomes a job when the active one ends.
fn name_kept_jobs(keys: &Map<String, Value>, labels: &mut Labels) {
    for (key, stored) in keys {
        let parts: Vec<&str> = key.split(':').collect();
        let [_, queue, id] = parts[..] else { continue };
        if stored["value"]["name"].is_string() {
            labels.set_kept(queue, id.to_owned());
        }
    }
}

/// What differs without being meant to; allowances that were needed are noted in `used`.
fn compare(
    used: &mut BTreeSet<&'static str>,
    (scenario, after): (&str, &str),
    theirs: &Facts,
    ours: &Facts,
    found: &mut String,
) {
    let places: BTreeSet<&(String, String)> = theirs.keys().chain(ours.keys()).collect();
    for place in places {
        let difference = Difference {
            scenario,
            key: &place.0,
            part: &place.1,
            theirs: theirs.get(place).map(String::as_str),
            ours: ours.get(place).map(String::as_str),
        };
        if difference.theirs == difference.ours {
            continue;
        }
        match ALLOWANCES
            .iter()
            .find(|allowance| (allowance.covers)(&difference))
        {
            Some(allowance) => {
                used.insert(allowance.name);
            }
            None => {
                let _ = writeln!(
                    found,
                    "  after {after}: {} {}\n    theirs {}\n    ours   {}",
                    difference.key,
                    difference.part,
                    difference.theirs.unwrap_or("-"),
                    difference.ours.unwrap_or("-"),
                );
            }
        }
    }
}

/// Both did it, with the same answer, or both refused; each has words of its own for a refusal.
fn compare_answers(after: &str, answers: &(Answer, Answer), found: &mut String) {
    let alike = match answers {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        (Err(_), Err(_)) => true,
        _ => false,
    };
    if !alike {
        let _ = writeln!(
            found,
            "  after {after}: they answer {:?}, we {:?}",
            answers.0, answers.1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_what_bullmq_stores() {
    let mut comparison = Comparison::new().await;
    for (name, operations) in scenarios::all() {
        comparison.run(name, &operations).await;
    }
    let reasons: Vec<String> = ALLOWANCES
        .iter()
        .map(|it| format!("{}: {}", it.name, it.reason))
        .collect();
    assert!(
        comparison.found.is_empty(),
        "{} scenarios differ\n{}\nallowed are\n{}",
        comparison.found.len(),
        comparison.found.join("\n"),
        reasons.join("\n"),
    );
    let unused: Vec<_> = ALLOWANCES
        .iter()
        .filter(|it| !comparison.used.contains(it.name))
        .map(|it| it.name)
        .collect();
    assert!(
        unused.is_empty(),
        "allowed, but nothing differs so any more: {unused:?}"
    );
}
