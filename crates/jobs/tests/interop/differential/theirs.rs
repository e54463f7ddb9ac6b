//! The operations as BullMQ for Node does them.

use serde_json::{Map, Value, json};

use super::operation::{Answer, Labels, OnFailure, Operation, Options, Tree};
use super::{AGE_SECONDS, MINUTE};
use crate::peer::Peer;
use crate::world::text;

/// Node on its own Redis.
pub(super) struct Theirs<'a> {
    pub(super) node: &'a Peer,
    pub(super) queue: String,
    pub(super) children: String,
    pub(super) labels: Labels,
    pub(super) port: u16,
}

fn retention(options: &Options) -> Value {
    if options.removed {
        return json!(true);
    }
    json!({ "age": AGE_SECONDS, "count": options.kept.unwrap_or(100) })
}

fn options(options: &Options) -> Value {
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| said.insert(name.to_owned(), value);
    say("attempts", json!(options.attempts.max(1)));
    say("removeOnComplete", retention(options));
    say("removeOnFail", retention(options));
    if options.delay > 0 {
        say("delay", json!(options.delay * MINUTE));
    }
    if options.priority > 0 {
        say("priority", json!(options.priority));
    }
    if options.lifo {
        say("lifo", json!(true));
    }
    if let Some(first) = options.backoff {
        say(
            "backoff",
            json!({ "type": "exponential", "delay": first * MINUTE }),
        );
    }
    if let Some(id) = options.id {
        say("jobId", json!(id));
    }
    if let Some(same) = options.deduplication {
        let mut deduplication = json!({ "id": same.id });
        if let Some(ttl) = same.ttl {
            deduplication["ttl"] = json!(ttl * MINUTE);
        }
        for (name, set) in [
            ("extend", same.extend),
            ("replace", same.replace),
            ("keepLastIfActive", same.keep_last_if_active),
        ] {
            if set {
                deduplication[name] = json!(true);
            }
        }
        say("deduplication", deduplication);
    }
    if let Some(failure) = options.on_failure {
        let name = match failure {
            OnFailure::Fail => "failParentOnFailure",
            OnFailure::Continue => "continueParentOnFailure",
            OnFailure::Ignore => "ignoreDependencyOnFailure",
            OnFailure::Remove => "removeDependencyOnFailure",
        };
        say(name, json!(true));
    }
    Value::Object(said)
}

/// A scheduler with this distance, whose jobs have this priority.
fn scheduler(id: &str, every: u64, priority: u32) -> Value {
    let how = Options {
        priority,
        ..Options::default()
    };
    let template = json!({ "name": "tick", "data": { "n": 1 }, "opts": options(&how) });
    json!({ "scheduler": id, "repeat": { "every": every * MINUTE }, "template": template })
}

impl Theirs<'_> {
    /// Does one operation.
    pub(super) async fn apply(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Add(label, how) => self.add(label, how).await,
            Operation::Bulk(jobs) => self.bulk(jobs).await,
            Operation::Flow(tree) => self.flow(tree).await,
            Operation::Take { children } => self.take(*children).await,
            Operation::Complete(label, result) => {
                self.job("complete", label, json!({ "result": result }))
                    .await
            }
            Operation::Fail(label, message) => {
                self.job("fail", label, json!({ "message": message })).await
            }
            Operation::FailForGood(label, message) => {
                self.job(
                    "fail",
                    label,
                    json!({ "message": message, "unrecoverable": true }),
                )
                .await
            }
            Operation::FailWithParents(label, message) => {
                let values = json!({ "message": message, "unrecoverable": true });
                self.job("fail", label, values).await?;
                let queues = json!([self.children, self.queue]);
                self.call("settle", json!({ "queues": queues }))
                    .await
                    .map(|_| "done".to_owned())
            }
            Operation::Postpone(label, delay) => {
                self.job("postpone", label, json!({ "delay": delay * MINUTE }))
                    .await
            }
            Operation::HandBack(label) => self.job("handBack", label, json!({})).await,
            Operation::Report(label, progress) => {
                self.job("report", label, json!({ "progress": progress }))
                    .await
            }
            Operation::Log(label, line) => self.job("log", label, json!({ "line": line })).await,
            Operation::Retry(label) => self.job("retry", label, json!({ "state": "failed" })).await,
            Operation::Promote(label) => self.job("promote", label, json!({})).await,
            Operation::Remove(label) => self.job("remove", label, json!({})).await,
            Operation::Priority(label, priority) => {
                self.job("changePriority", label, json!({ "priority": priority }))
                    .await
            }
            Operation::Delay(label, delay) => {
                self.job("changeDelay", label, json!({ "delay": delay * MINUTE }))
                    .await
            }
            Operation::Data(label, data) => {
                self.job("updateData", label, json!({ "data": data })).await
            }
            Operation::LoseLease(label) => {
                self.job("loseLease", label, json!({ "port": self.port }))
                    .await
            }
            other => self.on_queue(other).await,
        }
    }

    async fn on_queue(&mut self, operation: &Operation) -> Answer {
        let (command, values) = match operation {
            Operation::Sweep => ("checkStalled", json!({})),
            Operation::Pause => ("pause", json!({})),
            Operation::Resume => ("resume", json!({})),
            Operation::RetryAll => ("retryJobs", json!({ "state": "failed" })),
            Operation::PromoteAll => ("promoteJobs", json!({})),
            Operation::Drain { delayed } => ("drain", json!({ "delayed": delayed })),
            Operation::CleanCompleted => (
                "clean",
                json!({ "grace": 0, "limit": 1000, "state": "completed" }),
            ),
            Operation::Obliterate => ("obliterate", json!({ "force": false })),
            Operation::Upsert(id, every) => ("upsertScheduler", scheduler(id, *every, 0)),
            Operation::UpsertPriority(id, every, priority) => {
                ("upsertScheduler", scheduler(id, *every, *priority))
            }
            Operation::RemoveScheduler(id) => ("removeScheduler", json!({ "scheduler": id })),
            Operation::Concurrency(Some(most)) => {
                ("setGlobalConcurrency", json!({ "concurrency": most }))
            }
            Operation::Concurrency(None) => ("removeGlobalConcurrency", json!({})),
            Operation::Rate(max) => (
                "setGlobalRateLimit",
                json!({ "max": max, "duration": 10 * MINUTE }),
            ),
            other => unreachable!("{other:?} is about jobs"),
        };
        self.call(command, values).await.map(|_| "done".to_owned())
    }

    async fn call(&self, command: &str, mut values: Value) -> Result<Value, String> {
        if values["queue"].is_null() {
            values["queue"] = json!(self.queue);
        }
        self.node.try_call(command, values).await
    }

    async fn job(&mut self, command: &str, label: &str, mut values: Value) -> Answer {
        values["queue"] = json!(self.labels.queue(label));
        values["job"] = json!(self.labels.id(label));
        self.call(command, values).await.map(|_| "done".to_owned())
    }

    async fn add(&mut self, label: &'static str, how: &Options) -> Answer {
        let add = json!({ "name": "job", "data": { "label": label }, "options": options(how) });
        let id = text(&self.call("add", add).await?);
        Ok(self.named(label, id))
    }

    async fn bulk(&mut self, jobs: &[(&'static str, Options)]) -> Answer {
        let job = |(label, how): &(&str, Options)| json!({ "name": "job", "data": { "label": label }, "options": options(how) });
        let bulk: Vec<Value> = jobs.iter().map(job).collect();
        let ids = self.call("addBulk", json!({ "jobs": bulk })).await?;
        let ids = ids.as_array().unwrap().iter().map(text);
        let named = jobs
            .iter()
            .zip(ids)
            .map(|((label, _), id)| self.named(label, id));
        Ok(named.collect::<Vec<_>>().join(" "))
    }

    /// The label of the job that the add gave: an older one when it was a duplicate.
    fn named(&mut self, label: &'static str, id: String) -> String {
        if let Some(known) = self.labels.of(&id) {
            return format!("existing {known}");
        }
        let queue = self.queue.clone();
        self.labels.set(label, &queue, id);
        format!("new {label}")
    }

    async fn flow(&mut self, tree: &Tree) -> Answer {
        let told = self.told(tree, &self.queue);
        let added = self.call("flow", json!({ "tree": told })).await?;
        let queue = self.queue.clone();
        self.remember(tree, &added, &queue);
        Ok("new tree".to_owned())
    }

    fn told(&self, tree: &Tree, queue: &str) -> Value {
        let children = tree
            .children
            .iter()
            .map(|child| self.told(child, &self.children));
        let children: Vec<Value> = children.collect();
        let mut told = json!({
            "name": "job", "queueName": queue, "data": { "label": tree.label }, "opts": options(&tree.options),
        });
        if !children.is_empty() {
            told["children"] = Value::Array(children);
        }
        told
    }

    fn remember(&mut self, tree: &Tree, added: &Value, queue: &str) {
        self.labels.set(tree.label, queue, text(&added["id"]));
        let below = self.children.clone();
        for (child, added) in tree
            .children
            .iter()
            .zip(added["children"].as_array().unwrap())
        {
            self.remember(child, added, &below);
        }
    }

    async fn take(&mut self, children: bool) -> Answer {
        let queue = if children {
            &self.children
        } else {
            &self.queue
        };
        let taken = self.call("take", json!({ "queue": queue })).await?;
        if taken.is_null() {
            return Ok("nothing".to_owned());
        }
        let id = text(&taken["id"]);
        let queue = queue.clone();
        Ok(self.labels.taken(&queue, id).to_owned())
    }
}
