//! What must hold between us and any other program that speaks BullMQ's layout, both ways: the other one adds
//! and we run, we add and the other one runs.

use std::time::Duration;

use paceline_jobs::{
    Deduplication, EngineHandle, JobOptions, Queue, QueueName, SchedulerId, Shutdown, State,
};
use serde_json::{Value, json};

use crate::fleet::{Ledger, peer_adds, we_add};
use crate::ours::{self, OurWorker};
use crate::peer::Peer;
use crate::redis_server::RedisServer;
use crate::schedulers;
use crate::world::{QUEUE, eventually, text, we_see};

/// One Redis, the other program on it, and our engine on it.
#[derive(Debug)]
pub(crate) struct Pair {
    peer: Peer,
    engine: EngineHandle,
    _redis: RedisServer,
}

impl Pair {
    pub(crate) async fn new(redis: RedisServer, peer: Peer) -> Self {
        Self {
            peer,
            engine: ours::open(&redis).await,
            _redis: redis,
        }
    }

    fn queue(&self) -> Queue<Value> {
        Queue::new(&self.engine, QUEUE).unwrap()
    }

    async fn they_add(&self, name: &str, options: Value) -> String {
        let add = json!({ "queue": QUEUE, "name": name, "data": {}, "options": options });
        text(&self.peer.call("add", add).await)
    }

    async fn we_add(&self, name: &str, options: JobOptions) -> (String, bool) {
        let added = self.queue().add_with(name, &json!({}), options).await;
        let added = added.unwrap();
        (added.id.to_string(), added.existing)
    }

    async fn they_work(&self, concurrency: u32) {
        let work = json!({ "worker": "them", "queue": QUEUE, "concurrency": concurrency });
        self.peer.call("work", work).await;
    }

    async fn they_stop(&self) {
        self.peer
            .call("stopWork", json!({ "worker": "them" }))
            .await;
    }

    /// What they ran so far: the job, and a word of it.
    fn they_ran(&self, word: &str) -> Vec<String> {
        let ran = self.peer.all("ran");
        ran.iter().map(|run| text(&run[word])).collect()
    }

    async fn completed(&self, id: &str) -> paceline_jobs::JobSnapshot {
        let done = |job: &paceline_jobs::JobSnapshot| job.state == State::Completed;
        we_see(&self.engine, QUEUE, id, done).await
    }

    /// Each add that was answered is run once by the other side: delays, priorities and bulks among them.
    pub(crate) async fn nothing_is_lost_or_doubled(&self) {
        let worker = OurWorker::start(&self.engine, QUEUE, 4);
        let mut theirs = Ledger::of(peer_adds(&self.peer, "theirs").await);
        self.all_completed(theirs.len()).await;
        theirs.ran(worker.jobs());
        theirs.check();
        worker.worker.stop(Duration::from_secs(5)).await;

        self.they_work(4).await;
        let mut ours = Ledger::of(we_add(&self.queue()).await);
        self.all_completed(theirs.len() + ours.len()).await;
        ours.ran(self.they_ran("job"));
        ours.check();
        self.they_stop().await;
    }

    async fn all_completed(&self, jobs: usize) {
        let jobs = u64::try_from(jobs).unwrap();
        let counts = eventually("everything to be completed", async || {
            let counts = self.queue().info().await.unwrap().unwrap().counts;
            (counts.completed + counts.failed >= jobs).then_some(counts)
        })
        .await;
        assert_eq!((counts.completed, counts.failed), (jobs, 0));
    }

    /// The order that priorities ask for.
    pub(crate) async fn priorities_order(&self) {
        let ranked = [("c", 7), ("e", 2_097_151), ("b", 1), ("d", 7), ("a", 0)];
        let order = ["a", "b", "c", "d", "e"];
        self.queue().pause().await.unwrap();
        for (name, priority) in ranked {
            let said = match priority {
                0 => json!({}),
                _ => json!({ "priority": priority }),
            };
            self.they_add(name, said).await;
        }
        let worker = OurWorker::start(&self.engine, QUEUE, 1);
        self.queue().resume().await.unwrap();
        eventually("five runs of ours", async || {
            (worker.runs().len() == 5).then_some(())
        })
        .await;
        let ran: Vec<String> = worker.runs().into_iter().map(|run| run.name).collect();
        assert_eq!(ran, order);
        worker.worker.stop(Duration::from_secs(5)).await;

        self.queue().pause().await.unwrap();
        for (name, priority) in ranked {
            self.we_add(name, JobOptions::new().priority(priority))
                .await;
        }
        self.they_work(1).await;
        self.queue().resume().await.unwrap();
        eventually("five runs of theirs", async || {
            (self.they_ran("name").len() == 5).then_some(())
        })
        .await;
        assert_eq!(self.they_ran("name"), order);
        self.they_stop().await;
    }

    /// A delayed job starts no earlier than it may.
    pub(crate) async fn delays_hold(&self) {
        let delay = Duration::from_millis(250);
        let waited = async |id: &str| {
            let job = self.completed(id).await;
            let waited = job.started_at.unwrap().saturating_since(job.created_at);
            assert!(waited >= delay, "{waited:?}");
        };
        let worker = OurWorker::start(&self.engine, QUEUE, 1);
        let id = self.they_add("n", json!({ "delay": 250 })).await;
        waited(&id).await;
        worker.worker.stop(Duration::from_secs(5)).await;

        self.they_work(1).await;
        let (id, _) = self.we_add("n", JobOptions::new().delay(delay)).await;
        waited(&id).await;
        self.they_stop().await;
    }

    /// An id that was chosen is one job, whoever adds it first.
    pub(crate) async fn ids_are_shared(&self) {
        let order = |id| JobOptions::new().id(id).unwrap();
        let theirs = self.they_add("theirs", json!({ "jobId": "order-1" })).await;
        assert_eq!(theirs, "order-1");
        let ours = self.we_add("ours", order("order-1")).await;
        assert_eq!(ours, (theirs, true));
        assert!(!self.we_add("ours", order("order-2")).await.1);
        self.they_add("theirs", json!({ "jobId": "order-2" })).await;
        for (id, name) in [("order-1", "theirs"), ("order-2", "ours")] {
            let job = we_see(&self.engine, QUEUE, id, |_| true).await;
            assert_eq!(job.name, name);
        }
        let counts = self.queue().info().await.unwrap().unwrap().counts;
        assert_eq!(counts.waiting, 2);
    }

    /// A deduplication id held by a job of one side holds for the other, until that job ends.
    pub(crate) async fn deduplication_is_shared(&self) {
        let theirs = || json!({ "deduplication": { "id": "d" } });
        let ours = || JobOptions::new().deduplication(Deduplication::simple("d").unwrap());
        let first = self.they_add("n", theirs()).await;
        assert_eq!(self.we_add("n", ours()).await, (first.clone(), true));
        let worker = OurWorker::start(&self.engine, QUEUE, 1);
        self.completed(&first).await;
        worker.worker.stop(Duration::from_secs(5)).await;

        let (second, existing) = self.we_add("n", ours()).await;
        assert!(!existing, "the id was free after we completed its job");
        assert_eq!(self.they_add("n", theirs()).await, second);
        self.they_work(1).await;
        self.completed(&second).await;
        self.they_stop().await;
        assert_ne!(
            self.they_add("n", theirs()).await,
            second,
            "the id was free after they completed its job"
        );
    }

    /// Attempts and backoff set by one side are kept by the other.
    pub(crate) async fn failures_are_retried(&self) {
        let data = |times| json!({ "fail": { "times": times, "message": "no" }, "answer": 2 });
        let worker = OurWorker::start(&self.engine, QUEUE, 1);
        let options = json!({ "attempts": 3, "backoff": { "type": "fixed", "delay": 20 } });
        let add = json!({ "queue": QUEUE, "name": "n", "data": data(2), "options": options });
        let id = text(&self.peer.call("add", add).await);
        let job = self.completed(&id).await;
        assert_eq!((job.attempts_made, job.max_attempts), (3, 3));
        worker.worker.stop(Duration::from_secs(5)).await;

        self.they_work(1).await;
        let options = JobOptions::new().attempts(2);
        let id = self.queue().add_with("n", &data(9), options).await;
        let id = id.unwrap().id;
        let failed = |job: &paceline_jobs::JobSnapshot| job.state == State::Failed;
        let job = we_see(&self.engine, QUEUE, id.as_str(), failed).await;
        let reason = job.failed_reason.as_deref();
        assert_eq!((job.attempts_made, reason), (2, Some("no")));
        self.they_stop().await;
    }

    /// Schedulers stored by one side are carried on by workers of the other, each slot once.
    pub(crate) async fn schedulers_are_carried_on(&self) {
        let queue = QueueName::new(QUEUE).unwrap();
        let template = json!({ "name": "tick", "data": { "answer": 1 } });
        let store = json!({
            "queue": QUEUE, "scheduler": "theirs", "repeat": { "every": 200 }, "template": template,
        });
        self.peer.call("upsertScheduler", store).await;
        let known = self.engine.schedulers(&queue).await.unwrap();
        assert_eq!((known.len(), &*known[0].name), (1, "tick"));
        let worker = OurWorker::start(&self.engine, QUEUE, 2);
        eventually("four slots of theirs", async || {
            (worker.runs().len() >= 4).then_some(())
        })
        .await;
        schedulers::once_each(&worker.jobs());
        let id = SchedulerId::lookup("theirs");
        assert!(self.engine.remove_scheduler(&queue, &id).await.unwrap());
        worker.worker.stop(Duration::from_secs(5)).await;
        let list = || self.peer.call("schedulers", json!({ "queue": QUEUE }));
        assert_eq!(list().await, json!([]), "they see it gone");

        let ours = schedulers::ours("ours");
        self.engine.upsert_scheduler(&queue, ours).await.unwrap();
        let known = list().await;
        assert_eq!(known[0]["key"], "ours", "{known}");
        self.they_work(2).await;
        eventually("four slots of ours", async || {
            (self.they_ran("job").len() >= 4).then_some(())
        })
        .await;
        schedulers::once_each(&self.they_ran("job"));
        let remove = json!({ "queue": QUEUE, "scheduler": "ours" });
        self.peer.call("removeScheduler", remove).await;
        assert!(self.engine.schedulers(&queue).await.unwrap().is_empty());
        self.they_stop().await;
    }
}

/// A test for each thing that must hold; `$peer` starts the other program.
macro_rules! pair_tests {
    ($peer:path: $($name:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let redis = crate::redis_server::RedisServer::start();
                let peer = $peer(&redis).await;
                crate::pair::Pair::new(redis, peer).await.$name().await;
            }
        )+
    };
}
pub(crate) use pair_tests;
