//! The operations as our engine does them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::{BulkAction, ClaimRequest, Ending, Finish, JobChange, Lease, NewJob};
use paceline_jobs::{
    AddedFlow, Backoff, ChildFailure, EngineHandle, Flow, JobId, JobOptions, LeaseToken, QueueName,
    QueueSettings, Retention, Schedule, SchedulerId, StartLimit, State,
};
use serde_json::json;
use serde_json::value::to_raw_value;

use super::operation::{Answer, Deduplication, Labels, OnFailure, Operation, Options, Tree};
use super::{AGE_SECONDS, MINUTE};
use crate::peer::Peer;
use crate::schedulers::scheduler;

/// Our engine on its own Redis.
pub(super) struct Ours<'a> {
    /// For what is done to the server itself.
    pub(super) node: &'a Peer,
    pub(super) port: u16,
    pub(super) engine: EngineHandle,
    pub(super) queue: QueueName,
    pub(super) children: QueueName,
    pub(super) labels: Labels,
    pub(super) leases: HashMap<String, Lease>,
    pub(super) settings: QueueSettings,
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_millis(minutes * MINUTE)
}

fn options(options: &Options) -> JobOptions {
    let retention = if options.removed {
        Retention::NONE
    } else {
        Retention {
            count: options.kept.unwrap_or(100),
            age: Duration::from_secs(AGE_SECONDS),
        }
    };
    let mut said = JobOptions::new()
        .attempts(options.attempts.max(1))
        .keep_completed(retention)
        .keep_failed(retention)
        .delay(minutes(options.delay))
        .priority(options.priority);
    if options.lifo {
        said = said.lifo();
    }
    if let Some(first) = options.backoff {
        said = said.backoff(Backoff::exponential(minutes(first)));
    }
    if let Some(id) = options.id {
        said = said.id(id).unwrap();
    }
    if let Some(same) = options.deduplication {
        said = said.deduplication(deduplication(same));
    }
    let failure = match options.on_failure {
        None => return said,
        Some(OnFailure::Fail) => ChildFailure::FailParent,
        Some(OnFailure::Continue) => ChildFailure::ContinueParent,
        Some(OnFailure::Ignore) => ChildFailure::IgnoreDependency,
        Some(OnFailure::Remove) => ChildFailure::RemoveDependency,
    };
    said.on_failure(failure)
}

fn deduplication(same: Deduplication) -> paceline_jobs::Deduplication {
    let mut said = paceline_jobs::Deduplication::simple(same.id).unwrap();
    if let Some(ttl) = same.ttl {
        said = said.ttl(minutes(ttl));
    }
    if same.extend {
        said = said.extend();
    }
    if same.replace {
        said = said.replace();
    }
    if same.keep_last_if_active {
        said = said.keep_last_if_active();
    }
    said
}

/// Any error as text.
fn said(error: impl std::error::Error) -> String {
    error.to_string()
}

fn done<T, E: std::error::Error>(result: Result<T, E>) -> Answer {
    result.map(|_| "done".to_owned()).map_err(said)
}

impl Ours<'_> {
    /// Does one operation.
    pub(super) async fn apply(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Add(label, how) => self.add(&[(*label, how.clone())]).await,
            Operation::Bulk(jobs) => self.add(jobs).await,
            Operation::Flow(tree) => self.flow(tree).await,
            Operation::Take { children } => self.take(*children).await,
            Operation::Complete(label, result) => {
                let result = to_raw_value(result).unwrap();
                self.finish(label, Ending::Completed { result }).await
            }
            Operation::Fail(label, message) => self.finish(label, failed(message, true)).await,
            Operation::FailForGood(label, message) | Operation::FailWithParents(label, message) => {
                self.finish(label, failed(message, false)).await
            }
            Operation::Postpone(label, delay) => {
                self.finish(label, Ending::Postponed(minutes(*delay))).await
            }
            Operation::HandBack(label) => self.finish(label, Ending::HandedBack).await,
            Operation::Report(label, progress) => {
                let progress = to_raw_value(progress).unwrap();
                done(self.engine.progress(self.lease(label), progress).await)
            }
            Operation::Log(label, line) => {
                done(self.engine.log(self.lease(label), (*line).to_owned()).await)
            }
            Operation::Retry(label) => {
                let (queue, id) = self.job(label);
                done(self.engine.retry(&queue, &id).await)
            }
            Operation::Promote(label) => {
                let (queue, id) = self.job(label);
                done(self.engine.promote(&queue, &id).await)
            }
            Operation::Remove(label) => {
                let (queue, id) = self.job(label);
                done(self.engine.remove(&queue, &id).await)
            }
            Operation::Priority(label, priority) => {
                self.change(label, JobChange::Priority(*priority)).await
            }
            Operation::Delay(label, delay) => {
                self.change(label, JobChange::Delay(minutes(*delay))).await
            }
            Operation::Data(label, data) => {
                self.change(label, JobChange::Data(to_raw_value(data).unwrap()))
                    .await
            }
            Operation::LoseLease(label) => {
                let (queue, job) = (self.labels.queue(label), self.labels.id(label));
                let command = json!({ "queue": queue, "job": job, "port": self.port });
                self.node
                    .try_call("loseLease", command)
                    .await
                    .map(|_| "done".to_owned())
            }
            Operation::Sweep => done(self.engine.sweep().await),
            other => self.on_queue(other).await,
        }
    }

    async fn on_queue(&mut self, operation: &Operation) -> Answer {
        let (engine, queue) = (&self.engine, &self.queue);
        match operation {
            Operation::Pause => done(engine.set_paused(queue, true).await),
            Operation::Resume => done(engine.set_paused(queue, false).await),
            Operation::RetryAll => self.bulk(BulkAction::RetryFailed).await,
            Operation::PromoteAll => self.bulk(BulkAction::PromoteDelayed).await,
            Operation::Drain { delayed } => {
                self.bulk(BulkAction::Drain { delayed: *delayed }).await
            }
            Operation::CleanCompleted => {
                let (state, older_than) = (State::Completed, Duration::ZERO);
                self.bulk(BulkAction::Clean { state, older_than }).await
            }
            Operation::Obliterate => self.bulk(BulkAction::Obliterate { force: false }).await,
            Operation::Upsert(id, every) => self.upsert(id, *every, 0).await,
            Operation::UpsertPriority(id, every, priority) => {
                self.upsert(id, *every, *priority).await
            }
            Operation::RemoveScheduler(id) => done(
                engine
                    .remove_scheduler(queue, &SchedulerId::lookup(id))
                    .await,
            ),
            Operation::Concurrency(most) => {
                self.settings = self.settings.concurrency(most.and_then(NonZeroU32::new));
                done(engine.set_settings(queue, self.settings).await)
            }
            Operation::Rate(max) => {
                let max = NonZeroU32::new(*max).unwrap();
                let limit = StartLimit {
                    max,
                    per: minutes(10),
                };
                self.settings = self.settings.rate(Some(limit));
                done(engine.set_settings(queue, self.settings).await)
            }
            other => unreachable!("{other:?} is about jobs"),
        }
    }

    async fn upsert(&self, id: &str, every: u64, priority: u32) -> Answer {
        let schedule = Schedule::Every {
            every: minutes(every),
            offset: None,
        };
        let mut scheduler = scheduler(id, schedule, &json!({ "n": 1 }));
        scheduler.options = options(&Options {
            priority,
            ..Options::default()
        });
        done(self.engine.upsert_scheduler(&self.queue, scheduler).await)
    }

    fn job(&self, label: &str) -> (QueueName, JobId) {
        let queue = QueueName::new(self.labels.queue(label)).unwrap();
        (queue, JobId::lookup(self.labels.id(label)))
    }

    fn lease(&self, label: &str) -> &Lease {
        self.leases
            .get(self.labels.id(label))
            .unwrap_or_else(|| panic!("{label} was not taken"))
    }

    async fn add(&mut self, jobs: &[(&'static str, Options)]) -> Answer {
        let job = |(label, how): &(&str, Options)| NewJob {
            name: "job".to_owned(),
            data: to_raw_value(&json!({ "label": label })).unwrap(),
            options: options(how),
        };
        let new = jobs.iter().map(job).collect();
        let added = self
            .engine
            .add(&self.queue, new, None)
            .await
            .map_err(said)?;
        let mut named = Vec::new();
        for ((label, _), added) in jobs.iter().zip(added) {
            let id = added.id.to_string();
            let known = self.labels.of(&id);
            assert_eq!(
                known.is_some(),
                added.existing,
                "{label}: existing is told as it is"
            );
            named.push(known.map_or(format!("new {label}"), |known| format!("existing {known}")));
            if known.is_none() {
                self.labels.set(label, self.queue.as_str(), id);
            }
        }
        Ok(named.join(" "))
    }

    async fn flow(&mut self, tree: &Tree) -> Answer {
        let flow = self.told(tree, &self.queue);
        let added = self.engine.add_flow(flow).await.map_err(said)?;
        self.remember(tree, &added);
        Ok("new tree".to_owned())
    }

    fn told(&self, tree: &Tree, queue: &QueueName) -> Flow {
        let data = json!({ "label": tree.label });
        let flow = Flow::new(queue, "job", &data, options(&tree.options)).unwrap();
        let children = tree.children.iter();
        children.fold(flow, |flow, child| {
            flow.child(self.told(child, &self.children))
        })
    }

    fn remember(&mut self, tree: &Tree, added: &AddedFlow) {
        let queue = added.job.queue.to_string();
        self.labels
            .set(tree.label, &queue, added.job.id.to_string());
        for (child, added) in tree.children.iter().zip(&added.children) {
            self.remember(child, added);
        }
    }

    async fn take(&mut self, children: bool) -> Answer {
        let queue = if children {
            &self.children
        } else {
            &self.queue
        };
        let request = ClaimRequest {
            queue: queue.clone(),
            token: LeaseToken::random(),
            max: 1,
            lease_for: Duration::from_secs(30),
        };
        let mut claimed = self.engine.claim(request).await.map_err(said)?;
        let Some(job) = claimed.jobs.pop() else {
            return Ok("nothing".to_owned());
        };
        let id = job.lease.id.to_string();
        self.leases.insert(id.clone(), job.lease);
        let queue = queue.to_string();
        Ok(self.labels.taken(&queue, id).to_owned())
    }

    async fn finish(&mut self, label: &str, ending: Ending) -> Answer {
        let lease = self.lease(label).clone();
        let ended = self.engine.finish(vec![Finish { lease, ending }]).await;
        done(ended.map_err(said)?.remove(0))
    }

    async fn change(&mut self, label: &str, change: JobChange) -> Answer {
        let (queue, id) = self.job(label);
        done(self.engine.change(&queue, &id, change).await)
    }

    async fn bulk(&self, action: BulkAction) -> Answer {
        while self
            .engine
            .bulk(&self.queue, action)
            .await
            .map_err(said)?
            .more
        {}
        Ok("done".to_owned())
    }
}

fn failed(message: &str, retryable: bool) -> Ending {
    Ending::Failed {
        error: message.to_owned(),
        retryable,
        wait: None,
    }
}
