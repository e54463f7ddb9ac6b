//! `paceline jobs move`: from store to store, killed at random points, with both sides running.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use paceline_jobs::{
    EngineHandle, Job, JobError, JobOptions, Queue, QueueName, RedisEngine, Retention, Shutdown,
    SqliteEngine, Worker,
};

use crate::jobs_redis::Redis;
use crate::server::BINARY;

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn moving(from: &Path, to: &Path, more: &[&str]) -> Command {
    between(&url(from), &url(to), more)
}

fn between(from: &str, to: &str, more: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["jobs", "move", "q", "--from", from, "--to", to])
        .args(more)
        .env("PACELINE_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

async fn open(url: &str) -> EngineHandle {
    match url.strip_prefix("sqlite:") {
        Some(path) => SqliteEngine::open(path).unwrap().into(),
        None => RedisEngine::connect(url).await.unwrap().into(),
    }
}

/// A worker on the target that tells each job it runs.
struct Target {
    runtime: tokio::runtime::Runtime,
    engine: EngineHandle,
    worker: Worker,
    ran: Receiver<u32>,
}

impl Target {
    fn start(url: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let engine = runtime.block_on(open(url));
        let (told, ran) = channel();
        let worker = {
            let _inside = runtime.enter();
            let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
            Worker::builder(queue)
                .concurrency(4)
                .start(move |job: Job<u32>| {
                    told.send(*job.data()).unwrap();
                    async { Ok::<_, JobError>(()) }
                })
        };
        Self {
            runtime,
            engine,
            worker,
            ran,
        }
    }

    fn stop(self) -> Receiver<u32> {
        let grace = Duration::from_secs(10);
        self.runtime.block_on(async {
            self.worker.stop(grace).await;
            self.engine.stop(grace).await;
        });
        self.ran
    }
}

/// Adds numbers, in small groups, until it is told to stop; a finished job leaves no trace, so that a job
/// that is added twice runs twice. `added` tells how many there are.
fn produce(
    url: String,
    adding: Arc<AtomicBool>,
    added: Arc<AtomicU32>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let engine = open(&url).await;
            let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
            let mut next = 0_u32;
            while adding.load(Ordering::SeqCst) && next < 50_000 {
                let numbers: Vec<u32> = (next..next + 20).collect();
                let options = |number: u32| {
                    let options = JobOptions::new().keep_completed(Retention::NONE);
                    match number % 5 {
                        0 => options.priority(number % 7 + 1),
                        1 => options.delay(Duration::from_millis(u64::from(number % 50))),
                        _ => options,
                    }
                };
                let jobs = numbers.iter().map(|number| ("n", number, options(*number)));
                queue.add_bulk(jobs).await.unwrap();
                next += 20;
                added.store(next, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            engine.stop(Duration::from_secs(10)).await;
        });
    })
}

fn kill(mut child: Child, after: Duration) {
    std::thread::park_timeout(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn forty_kills_lose_no_job_and_double_none() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
    kills_lose_and_double_nothing(&url(&from), &url(&to), 40);
}

#[test]
fn twenty_kills_on_the_way_to_redis_lose_no_job_and_double_none() {
    let folder = tempfile::tempdir().unwrap();
    let (file, redis) = (folder.path().join("jobs.db"), Redis::start(&[]));
    kills_lose_and_double_nothing(&url(&file), &redis.url, 20);
}

#[test]
fn twenty_kills_on_the_way_back_from_redis_lose_no_job_and_double_none() {
    let folder = tempfile::tempdir().unwrap();
    let (file, redis) = (folder.path().join("jobs.db"), Redis::start(&[]));
    kills_lose_and_double_nothing(&redis.url, &url(&file), 20);
}

/// Each job runs exactly once although the move is killed at random points while producers add and a worker of
/// the target runs.
#[track_caller]
fn kills_lose_and_double_nothing(from: &str, to: &str, kills: u32) {
    let target = Target::start(to);
    let adding = Arc::new(AtomicBool::new(true));
    let added = Arc::new(AtomicU32::new(0));
    let producer = produce(from.to_owned(), Arc::clone(&adding), Arc::clone(&added));
    while added.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let mut random: u64 = 0x2545_f491_4f6c_dd1d;
    for _ in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let child = between(from, to, &["--once"]).spawn().unwrap();
        kill(child, Duration::from_micros(5_000 + random % 90_000));
    }
    let mut runs: BTreeMap<u32, u32> = BTreeMap::new();
    for number in target.ran.try_iter() {
        *runs.entry(number).or_default() += 1;
    }
    assert!(!runs.is_empty(), "no move got as far as to a job");
    adding.store(false, Ordering::SeqCst);
    producer.join().unwrap();
    let added = added.load(Ordering::SeqCst);
    let output = between(from, to, &["--once"]).output().unwrap();
    let told = succeeds(&output);
    assert!(told.contains("stays paused in"), "{told}");
    let deadline = Instant::now() + Duration::from_mins(1);
    while runs.len() < usize::try_from(added).unwrap() && Instant::now() < deadline {
        if let Ok(number) = target.ran.recv_timeout(Duration::from_millis(100)) {
            *runs.entry(number).or_default() += 1;
        }
    }
    let rest = target.stop();
    for number in rest.try_iter() {
        *runs.entry(number).or_default() += 1;
    }
    let missing: Vec<u32> = (0..added)
        .filter(|number| !runs.contains_key(number))
        .collect();
    assert!(
        missing.is_empty(),
        "{} of {added} are lost: {missing:?}",
        missing.len()
    );
    let twice: Vec<_> = runs.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "of {added} ran more than once: {twice:?}");
    assert!(added > 100, "only {added} were added");
}

#[test]
fn a_move_says_what_it_did_and_what_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let jobs = |arguments: &[&str], store: &Path| {
        let mut command = Command::new(BINARY);
        command
            .arg("jobs")
            .args(arguments)
            .args(["--url", &url(store)]);
        succeeds(&command.output().unwrap())
    };
    for id in ["a", "b"] {
        jobs(
            &[
                "add",
                "q",
                "n",
                r#"{"x" : 1.0}"#,
                "--id",
                id,
                "--attempts",
                "3",
            ],
            &from,
        );
    }
    let output = moving(&from, &to, &["--once", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_str(&succeeds(&output)).unwrap();
    assert_eq!(
        (&report["moved"], &report["left"]["active"]),
        (&2.into(), &0.into())
    );
    let shown: serde_json::Value =
        serde_json::from_str(&jobs(&["show", "q", "a", "--json"], &to)).unwrap();
    assert_eq!(
        (&shown["state"], &shown["max_attempts"]),
        (&"waiting".into(), &3.into())
    );
    assert!(jobs(&["list"], &from).contains("q (paused)"));
    let back = moving(&to, &from, &["--once"]).output().unwrap();
    let told = succeeds(&back);
    assert!(told.starts_with("Moved 2 jobs of q"), "{told}");
    assert!(jobs(&["list", "q"], &from).contains('b'));
}

#[test]
fn the_end_comes_when_the_source_has_stayed_empty() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = EngineHandle::from(SqliteEngine::open(&from).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    runtime.block_on(queue.add("n", &1)).unwrap();
    let child = moving(&from, &to, &["--settle", "1s", "--json"])
        .spawn()
        .unwrap();
    // Added once the move is under way.
    let deadline = Instant::now() + Duration::from_secs(30);
    while !runtime.block_on(queue.info()).unwrap().unwrap().paused {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    runtime.block_on(queue.add("n", &2)).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_str(&succeeds(&output)).unwrap();
    assert_eq!(report["moved"], 2);
    let counts = runtime.block_on(engine.info(&QueueName::new("q").unwrap()));
    assert_eq!(counts.unwrap().unwrap().counts.not_started(), 0);
}

#[test]
fn schedulers_go_over_with_what_is_left_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let json = |arguments: &[&str], store: &Path| -> serde_json::Value {
        let mut command = Command::new(BINARY);
        command
            .arg("jobs")
            .args(arguments)
            .args(["--json", "--url", &url(store)]);
        serde_json::from_str(&succeeds(&command.output().unwrap())).unwrap()
    };
    let hourly = [
        "schedulers",
        "set",
        "q",
        "hourly",
        "n",
        "1",
        "--every",
        "1h",
    ];
    let more = ["--limit", "5", "--now", "--attempts", "3"];
    json(&[&hourly[..], &more].concat(), &from);
    let list = ["schedulers", "list", "q"];
    // The engine makes the first job as soon as it looks.
    let deadline = Instant::now() + Duration::from_secs(30);
    let before = loop {
        let before = json(&list, &from)[0].clone();
        if before["made"] == 1 {
            break before;
        }
        assert!(Instant::now() < deadline, "{before}");
    };
    let output = moving(&from, &to, &["--once"]).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(1),
        "the job of the scheduler stays with it"
    );
    assert!(text(&output.stderr).contains("1 jobs stay in the source"));
    let output = moving(&from, &to, &["--once", "--schedulers", "--json"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_str(&succeeds(&output)).unwrap();
    assert_eq!(
        (&report["moved"], &report["schedulers"]),
        (&1.into(), &1.into())
    );
    assert_eq!(json(&list, &from), serde_json::json!([]));
    let after = json(&list, &to);
    let (after, limit) = (&after[0], &after[0]["limit"]);
    assert_eq!((&after["next"], limit), (&before["next"], &4.into()));
    let jobs = json(&["list", "q"], &to);
    assert_eq!(
        jobs.as_array().unwrap().len(),
        1,
        "no slot is doubled: {jobs}"
    );
    assert_eq!(jobs[0]["max_attempts"], 3);
}

#[test]
fn wrong_words_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let refused = |from: &Path, to: &Path, expected: &str| {
        let output = moving(from, to, &[]).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(expected), "{told}");
    };
    refused(&from, &to, "there is no job store");
    assert!(!to.exists(), "a mistake makes no file");
    drop(SqliteEngine::open(&from).unwrap());
    refused(&from, &folder.path().join("./old.db"), "the same store");
}
