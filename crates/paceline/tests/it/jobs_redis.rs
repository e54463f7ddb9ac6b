//! `paceline jobs` on a real Redis server, which the tests start themselves.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::hook::{Hook, Reply};
use crate::server::BINARY;

/// A server of its own; dropping it ends the process.
pub(crate) struct Redis {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
}

impl Redis {
    /// Starts one with these arguments too.
    pub(crate) fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(more)
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("these tests need a Redis server (Debian package redis-server): {error}")
        });
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "Redis does not come up");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Self {
            child,
            url: format!("redis://127.0.0.1:{port}"),
            folder,
        }
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// One that has every change on disk before it answers.
    fn durable() -> Self {
        Self::start(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    fn jobs(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command.arg("jobs").args(arguments);
        if !["doctor", "move"].contains(&arguments[0]) {
            command.args(["--url", &self.url]);
        }
        command.env("PACELINE_LOG", "error").output().unwrap()
    }

    #[track_caller]
    fn printed(&self, arguments: &[&str]) -> String {
        let output = self.jobs(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.printed(&[arguments, &["--json"]].concat())).unwrap()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], code: i32, expected: &str) {
        let output = self.jobs(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[test]
fn verbs_do_on_a_server_what_they_do_on_a_file() {
    let redis = Redis::durable();
    let more = ["--id", "order-17", "--attempts", "3", "--delay", "1h"];
    redis.printed(&[&["add", "q", "n", r#"{"x" : 1.50}"#], &more[..]].concat());
    let shown = redis.json(&["show", "q", "order-17"]);
    assert_eq!(
        (&shown["state"], &shown["max_attempts"]),
        (&"delayed".into(), &3.into())
    );
    redis.printed(&["promote", "q", "order-17"]);
    redis.printed(&["pause", "q"]);
    assert!(redis.printed(&["list"]).contains("q (paused)"));
    redis.printed(&["resume", "q"]);
    assert_eq!(redis.json(&["search", "q", "--text", "order"])["total"], 1);
    let hook = Hook::start(|_| Reply::status(200));
    redis.printed(&[
        "work",
        "q",
        "--http",
        &hook.url,
        "--until-empty",
        "--max-time",
        "60s",
    ]);
    assert_eq!(hook.next().header("webhook-id"), "order-17");
    assert_eq!(redis.json(&["show", "q", "order-17"])["state"], "completed");
    redis.printed(&["remove", "q", "order-17"]);
    redis.refused(&["show", "q", "order-17"], 1, "there is no job");
}

#[test]
fn what_a_server_lacks_is_said_with_what_to_use_instead() {
    let redis = Redis::durable();
    let grouped = ["add", "q", "n", "1", "--group", "customer-42"];
    redis.refused(
        &grouped,
        1,
        "groups are not supported by this job store: leave",
    );
}

#[test]
fn a_queue_moves_to_a_server_and_back() {
    let redis = Redis::durable();
    let store = file(&redis.folder.path().join("jobs.db"));
    let add = |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["jobs", "add", "q", "n"]).args(more);
        let output = command.args(["--url", &store]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    add(&["1", "--id", "a", "--attempts", "4", "--backoff", "fixed:1h"]);
    add(&["2", "--id", "b", "--priority", "3"]);
    add(&["3", "--id", "c", "--delay", "2h"]);
    let there = ["move", "q", "--from", &store, "--to", &redis.url, "--once"];
    assert_eq!(redis.json(&there)["moved"], 3);
    let states = |ids: [&str; 3]| ids.map(|id| redis.json(&["show", "q", id])["state"].clone());
    assert_eq!(
        states(["a", "b", "c"]),
        ["waiting", "prioritized", "delayed"]
    );
    let back = [
        "move",
        "q",
        "--from",
        &redis.url,
        "--to",
        &store,
        "--once",
        "--keep-paused",
    ];
    let told = redis.printed(&back);
    assert!(
        told.starts_with("Moved 3 jobs of q from redis://127.0.0.1:"),
        "{told}"
    );
    assert!(told.contains("was paused in sqlite:"), "{told}");
}

#[test]
fn the_doctor_says_what_can_be_lost() {
    let durable = Redis::durable();
    let told = durable.printed(&["doctor", &durable.url]);
    let output = durable.jobs(&["doctor", &durable.url]);
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("ok     every change is on disk before it is answered"),
        "{told}"
    );
    let careless = Redis::start(&["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]);
    let output = careless.jobs(&["doctor", &careless.url]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("wrong  maxmemory-policy is allkeys-lru"),
        "{told}"
    );
    assert!(told.contains("risk   appendonly is off"), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("redis://:hunter2@127.0.0.1:{port}");
    let mut command = Command::new(BINARY);
    let output = command
        .args(["jobs", "list", "--url", &url])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let named = format!("redis://127.0.0.1:{port}");
    assert!(told.contains(&named) && !told.contains("hunter2"), "{told}");
}
