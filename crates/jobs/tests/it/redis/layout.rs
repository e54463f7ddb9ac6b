//! What stands in Redis, as other programs read and write it.

use std::time::Duration;

use paceline_jobs::{Backoff, JobId, JobOptions, LeaseToken, Queue, Retention, State};

use super::Store;
use crate::store::{LEASE, claim, completed, failed, finish};

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

impl Store {
    fn field(&self, id: &str, name: &str) -> Option<String> {
        self.command(&["HGET", &self.key(id), name])
    }

    /// A job as BullMQ's producer leaves it: ready, with these options.
    fn foreign_job(&self, id: &str, opts: &str) {
        let now = self.now().to_string();
        let key = self.key(id);
        let fields = [
            "name",
            "n",
            "data",
            "{\"big\":12345678901234567890}",
            "opts",
            opts,
        ];
        let rest = ["timestamp", &now, "delay", "0", "priority", "0"];
        let _: i64 = self.command(&[&["HSET", &key], &fields[..], &rest[..]].concat());
        let _: i64 = self.command(&["LPUSH", &self.key("wait"), id]);
    }

    fn scores(&self, set: &str) -> Vec<(String, f64)> {
        self.command(&["ZRANGE", &self.key(set), "0", "-1", "WITHSCORES"])
    }

    fn members(&self, list: &str) -> Vec<String> {
        self.command(&["LRANGE", &self.key(list), "0", "-1"])
    }
}

#[tokio::test]
async fn an_added_job_has_bullmqs_fields_lists_and_events() {
    let store = Store::new();
    let options = JobOptions::new()
        .attempts(3)
        .backoff(Backoff::exponential(Duration::from_secs(2)))
        .keep_failed(Retention {
            count: 5,
            age: Duration::from_millis(1_500),
        });
    let id = queue(&store)
        .add_with("send", &7, options)
        .await
        .unwrap()
        .id;
    let id = id.as_str();
    for (field, value) in [
        ("name", "send"),
        ("data", "7"),
        ("delay", "0"),
        ("priority", "0"),
    ] {
        assert_eq!(store.field(id, field).as_deref(), Some(value), "{field}");
    }
    let opts: serde_json::Value = serde_json::from_str(&store.field(id, "opts").unwrap()).unwrap();
    let expected = serde_json::json!({
        "attempts": 3,
        "backoff": { "type": "exponential", "delay": 2000 },
        "removeOnFail": { "count": 5, "age": 2 },
    });
    assert_eq!(opts, expected, "ages are whole seconds, rounded up");
    assert_eq!(store.members("wait"), [id]);
    assert_eq!(store.scores("marker"), [("0".to_owned(), 0.0)]);
    let version: String = store.command(&["HGET", &store.key("meta"), "version"]);
    assert!(version.starts_with("bullmq"), "{version}");
    let counter: i64 = store.command(&["GET", &store.key("id")]);
    assert_eq!(counter, 1);
    let events: i64 = store.command(&["XLEN", &store.key("events")]);
    assert_eq!(events, 2, "added and waiting");
}

#[tokio::test]
async fn a_claim_takes_a_lock_and_counts_the_start() {
    let store = Store::new();
    let id = queue(&store).add("n", &1).await.unwrap().id;
    let token = LeaseToken::random();
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    let lock: String = store.command(&["GET", &store.key(&format!("{id}:lock"))]);
    assert_eq!(lock, format!("{token}:1"));
    let left: i64 = store.command(&["PTTL", &store.key(&format!("{id}:lock"))]);
    assert!(left > 0 && u128::from(left.unsigned_abs()) <= LEASE.as_millis());
    assert_eq!(store.field(id.as_str(), "ats").as_deref(), Some("1"));
    assert_eq!(store.members("active"), [id.as_str()]);
    finish(&store.engine, &job, completed()).await.unwrap();
    assert!(store.members("active").is_empty());
    assert_eq!(
        store.field(id.as_str(), "returnvalue").as_deref(),
        Some("\"done\"")
    );
    assert_eq!(store.field(id.as_str(), "atm").as_deref(), Some("1"));
    let locked: i64 = store.command(&["EXISTS", &store.key(&format!("{id}:lock"))]);
    assert_eq!(locked, 0);
    assert_eq!(store.scores("completed").len(), 1);
}

#[tokio::test]
async fn a_failure_leaves_reason_and_traces_where_bullmq_looks() {
    let store = Store::new();
    let options = JobOptions::new().attempts(2);
    let id = queue(&store).add_with("n", &1, options).await.unwrap().id;
    for _ in 0..2 {
        let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
            .await
            .pop()
            .unwrap();
        finish(&store.engine, &job, failed(true)).await.unwrap();
    }
    assert_eq!(
        store.field(id.as_str(), "failedReason").as_deref(),
        Some("it broke")
    );
    let traces = store.field(id.as_str(), "stacktrace").unwrap();
    assert_eq!(traces, "[\"it broke\",\"it broke\"]");
    assert_eq!(store.scores("failed").len(), 1);
}

#[tokio::test]
async fn jobs_of_other_programs_run_whatever_their_options_look_like() {
    let store = Store::new();
    let queue = queue(&store);
    for (id, opts) in [
        (
            "1",
            "{\"attempts\":2.0,\"backoff\":{},\"removeOnComplete\":{},\"mine\":{\"x\":[]}}",
        ),
        ("2", "{\"timestamp\":1.7954699632501e+15,\"delay\":1e+15}"),
        ("3", "no JSON"),
    ] {
        store.foreign_job(id, opts);
    }
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 9).await;
    assert_eq!(jobs.len(), 3);
    assert_eq!((jobs[0].max_attempts, jobs[1].max_attempts), (2, 1));
    for job in &jobs {
        assert_eq!(
            job.data.get(),
            "{\"big\":12345678901234567890}",
            "byte for byte"
        );
        finish(&store.engine, job, completed()).await.unwrap();
    }
    assert_eq!(queue.info().await.unwrap().unwrap().counts.completed, 3);
    assert!(
        store.field("1", "opts").unwrap().contains("mine"),
        "unknown options are kept"
    );
}

#[tokio::test]
async fn an_id_without_a_job_is_taken_out_and_stops_nobody() {
    let store = Store::new();
    let queue = queue(&store);
    let _: i64 = store.command(&["LPUSH", &store.key("wait"), "gone"]);
    queue.add("n", &1).await.unwrap();
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 5).await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(store.members("active").len(), 1);
    let stub: i64 = store.command(&["EXISTS", &store.key("gone")]);
    assert_eq!(stub, 0);
    let _: i64 = store.command(&["LPUSH", &store.key("active"), "lost"]);
    store.engine.sweep().await.unwrap();
    assert_eq!(store.members("active").len(), 1);
}

#[tokio::test]
async fn a_job_marked_as_failed_is_failed_without_being_run() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let other = queue.add("n", &2).await.unwrap().id;
    let _: i64 = store.command(&["HSET", &store.key(id.as_str()), "defa", "child x failed"]);
    let jobs = claim(&store.engine, "q", &LeaseToken::random(), 1).await;
    assert_eq!(
        jobs[0].lease.id, other,
        "the next one is taken in its place"
    );
    let job = queue.get(&id).await.unwrap().unwrap();
    assert_eq!(job.state, State::Failed);
    assert_eq!(job.failed_reason.as_deref(), Some("child x failed"));
    assert_eq!(store.field(id.as_str(), "defa"), None);
}

#[tokio::test]
async fn a_priority_is_kept_by_promotion_stall_and_retry() {
    let store = Store::new();
    let queue = queue(&store);
    let important = JobOptions::new().priority(7).delay(Duration::from_mins(1));
    let id = queue.add_with("n", &1, important).await.unwrap().id;
    let stands = async || queue.get(&id).await.unwrap().unwrap().state;
    queue.promote(&id).await.unwrap();
    assert_eq!(stands().await, State::Prioritized);
    assert_eq!(
        claim(&store.engine, "q", &LeaseToken::random(), 1)
            .await
            .len(),
        1
    );
    store.pass(LEASE + Duration::from_secs(1));
    assert_eq!(store.engine.sweep().await.unwrap().recovered, 1);
    assert_eq!(stands().await, State::Prioritized);
    let step = 7.0 * 4_294_967_296.0;
    assert_eq!(
        store.scores("prioritized"),
        [(id.to_string(), step)],
        "before its equals"
    );
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    finish(&store.engine, &job, failed(false)).await.unwrap();
    queue.retry(&id).await.unwrap();
    assert_eq!(stands().await, State::Prioritized);
}

#[tokio::test]
async fn more_delayed_jobs_than_a_millisecond_has_places_are_all_served() {
    let store = Store::new();
    let queue = queue(&store);
    let numbers: Vec<u32> = (0..5_000).collect();
    let later = || JobOptions::new().delay(Duration::from_secs(1));
    let jobs = numbers.iter().map(|number| ("n", number, later()));
    queue.add_bulk(jobs).await.unwrap();
    let due = store.now() + 1_000;
    let scores = store.scores("delayed");
    let (first, last) = (scores[0].1, scores.last().unwrap().1);
    #[allow(clippy::cast_precision_loss, reason = "milliseconds fit")]
    let (low, high) = ((due * 4_096) as f64, ((due + 1) * 4_096 - 1) as f64);
    assert!(
        (first - low).abs() < 0.5 && (last - high).abs() < 0.5,
        "{first} {last}"
    );
    store.pass(Duration::from_secs(1));
    let mut served = Vec::new();
    loop {
        let jobs = claim(&store.engine, "q", &LeaseToken::random(), 1_000).await;
        if jobs.is_empty() {
            break;
        }
        served.extend(
            jobs.iter()
                .map(|job| job.data.get().parse::<u32>().unwrap()),
        );
    }
    assert_eq!(
        served[..4_000],
        numbers[..4_000],
        "in order while there are places"
    );
    served.sort_unstable();
    assert_eq!(served, numbers);
}

#[tokio::test]
async fn ten_thousand_jobs_are_added_in_one_step_and_finished_in_batches() {
    let store = Store::with(|options| {
        options.keep_completed(Retention {
            count: 100,
            age: Duration::MAX,
        })
    });
    let queue = queue(&store);
    let numbers: Vec<u32> = (0..10_000).collect();
    let jobs = numbers
        .iter()
        .map(|number| ("n", number, JobOptions::new()));
    assert_eq!(queue.add_bulk(jobs).await.unwrap().len(), 10_000);
    let mut served = Vec::new();
    for _ in 0..10 {
        let jobs = claim(&store.engine, "q", &LeaseToken::random(), 1_000).await;
        let endings = jobs.iter().map(|job| paceline_jobs::engine::Finish {
            lease: job.lease.clone(),
            ending: completed(),
        });
        let answers = store.engine.finish(endings.collect()).await.unwrap();
        assert!(answers.iter().all(Result::is_ok));
        served.extend(
            jobs.iter()
                .map(|job| job.data.get().parse::<u32>().unwrap()),
        );
    }
    assert_eq!(served, numbers);
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!(
        (counts.completed, counts.not_started(), counts.active),
        (100, 0, 0)
    );
    let keys: Vec<String> = store.command(&["KEYS", &store.key("*")]);
    assert!(keys.len() < 110, "{} keys are left", keys.len());
}

#[tokio::test]
async fn the_paused_list_of_old_versions_is_counted_and_moved_at_resume() {
    let store = Store::new();
    let queue = queue(&store);
    queue.pause().await.unwrap();
    store.foreign_job("1", "{}");
    let _: String = store.command(&["RENAME", &store.key("wait"), &store.key("paused")]);
    assert_eq!(queue.info().await.unwrap().unwrap().counts.waiting, 1);
    queue.resume().await.unwrap();
    assert_eq!(
        claim(&store.engine, "q", &LeaseToken::random(), 1)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn queues_of_other_programs_are_known() {
    let store = Store::new();
    let _: i64 = store.command(&[
        "HSET",
        &format!("{}:theirs:meta", store.prefix),
        "version",
        "bullmq:6.7.0",
    ]);
    let queues = store.engine.queues().await.unwrap();
    let names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["theirs"]);
    let nothing = queue(&store).get(&JobId::lookup("1")).await.unwrap();
    assert!(nothing.is_none());
}
