//! Limits of a configuration, as clients meet them.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::client;
use crate::jobs_redis::Redis;
use crate::server::{BINARY, Server};

/// A folder with a database of one table.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        .unwrap();
    folder
}

const START: &str = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
                     [database]\nurl = \"sqlite:a.db\"\n[stream]\n";

fn serve(limits: &str) -> Server {
    Server::serve(&format!("{START}{limits}"), folder())
}

#[test]
fn limits_count_by_their_algorithm_and_speak_their_dialect() {
    let server = serve(
        "[limit_settings]\nheaders = \"draft-6\"\n\
         [[limits]]\nname = \"api\"\npath = \"/api/\"\nmax = 100\nwindow = \"100s\"\n\
         algorithm = \"gcra\"\nburst = 10\nweight = 5\n",
    );
    for left in ["5", "0"] {
        let answer = server.get("/api/item");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("ratelimit-limit"), "100");
        assert_eq!(answer.header("ratelimit-remaining"), left);
        assert_eq!(answer.header("ratelimit-policy"), "100;w=100");
    }
    let refused = server.get("/api/item");
    refused.assert_problem(429, "rate-limit-exceeded");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!(
        (1..=5).contains(&wait),
        "five units come back in 5 s: {wait}"
    );
    assert_eq!(server.get("/health/live").status, 200);
}

#[test]
fn processes_share_a_limit_on_redis_and_a_closed_one_answers_503_without() {
    let mut redis = Redis::start(&[]);
    let limits = format!(
        "[limit_settings]\nredis = \"{}\"\nredis_deadline = \"5s\"\n\
         [[limits]]\nname = \"closed\"\npath = \"/api/item\"\nmax = 3\nwindow = \"1h\"\n\
         algorithm = \"sliding-window\"\nstore = \"redis\"\non_store_failure = \"closed\"\n",
        redis.url
    );
    let (one, other) = (serve(&limits), serve(&limits));
    for (server, left) in [(&one, 2), (&other, 1), (&one, 0)] {
        let answer = server.get("/api/item");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = answer.header("ratelimit");
        assert!(
            told.starts_with(&format!("\"closed\";r={left};t=")),
            "{told}"
        );
    }
    for server in [&one, &other] {
        server
            .get("/api/item")
            .assert_problem(429, "rate-limit-exceeded");
    }
    redis.kill();
    let path = "/api/item/1";
    let third = serve(&limits);
    let refused = third.get(path);
    refused.assert_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(third.get("/health/live").status, 200);
}

#[test]
fn a_place_is_held_as_long_as_the_answer_is_sent() {
    let server = serve("[[concurrency]]\npath = \"/api/stream\"\nmax = 1\nqueue = 0\n");
    let url = format!("{}/api/stream", server.base);
    let (status, _, body) = client::open(&url, &[]);
    assert_eq!(status, 200);
    let refused = server.get("/api/stream");
    refused.assert_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(server.get("/api/item").status, 200, "another path");
    drop(body);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let (status, _, _) = client::open(&url, &[]);
        if status == 200 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the place came back");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
}

fn check(folder: &Path, config: &str) -> (Option<i32>, String) {
    let path = folder.join("paceline.toml");
    std::fs::write(&path, format!("{START}{config}")).unwrap();
    let output = Command::new(BINARY)
        .args(["check", "--config"])
        .arg(&path)
        .output();
    let output = output.unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(told).unwrap())
}

#[test]
fn check_warns_of_limits_that_do_not_limit() {
    let folder = folder();
    let limits = "[[limits]]\nname = \"api\"\npath = \"/apis/\"\nmax = 100\nwindow = \"30d\"\n";
    let (code, told) = check(folder.path(), limits);
    assert_eq!(code, Some(0), "{told}");
    for part in ["is fine", "warning: ", "/apis/", "a restart forgets it"] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let (code, told) = check(
        folder.path(),
        "[[limits]]\nname = \"a\"\nmax = 0\nwindow = \"1m\"\n",
    );
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("paceline.toml:9:"), "{told}");
}
