//! `paceline jobs` beside a running server and without one.

use std::path::Path;
use std::process::{Command, Output};

use crate::server::{BINARY, Server};

fn jobs(store: &Path, arguments: &[&str]) -> Output {
    Command::new(BINARY)
        .arg("jobs")
        .args(arguments)
        .arg("--url")
        .arg(format!("sqlite:{}", store.display()))
        .output()
        .unwrap()
}

fn printed(store: &Path, arguments: &[&str]) -> String {
    let output = jobs(store, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(store: &Path, arguments: &[&str], code: i32, expected: &str) {
    let output = jobs(store, arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.contains(expected), "{arguments:?}: {error}");
}

#[test]
fn a_queue_is_filled_looked_at_paused_and_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    let added = printed(
        &store,
        &[
            "add",
            "reports",
            "weekly",
            r#"{"week":7}"#,
            "--delay",
            "1h",
            "--id",
            "w7",
        ],
    );
    assert!(added.contains("w7"), "{added}");
    let again = printed(&store, &["add", "reports", "weekly", "{}", "--id", "w7"]);
    assert!(again.contains("already"), "{again}");
    let shown: serde_json::Value =
        serde_json::from_str(&printed(&store, &["show", "reports", "w7", "--json"])).unwrap();
    assert_eq!(shown["state"], "delayed");
    assert_eq!(shown["data"]["week"], 7);
    assert!(printed(&store, &["show", "reports", "w7"]).contains("payload"));
    printed(&store, &["pause", "reports"]);
    assert!(printed(&store, &["list"]).contains("reports (paused)"));
    printed(&store, &["resume", "reports"]);
    assert!(printed(&store, &["list", "reports", "--state", "delayed"]).contains("w7"));
    refused(
        &store,
        &["retry", "reports", "w7"],
        1,
        "is delayed and cannot be retried",
    );
    printed(&store, &["remove", "reports", "w7"]);
    refused(&store, &["show", "reports", "w7"], 1, "there is no job");
}

#[test]
fn wrong_words_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    refused(&store, &["list"], 2, "there is no job store");
    assert!(!store.exists(), "looking makes no file");
    printed(&store, &["add", "q", "n", "1"]);
    refused(&store, &["add", "q", "n", "{"], 2, "not JSON");
    refused(
        &store,
        &["add", "q", "n", "1", "--delay", "soon"],
        2,
        "expected a duration",
    );
    refused(&store, &["add", "q:r", "n", "1"], 2, "colon");
    refused(
        &store,
        &["list", "q", "--state", "lost"],
        2,
        "expected one of waiting",
    );
}

fn json(store: &Path, arguments: &[&str]) -> serde_json::Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&printed(store, &arguments)).unwrap()
}

/// The payloads of a queue's jobs of one state, in the order served.
fn payloads(store: &Path, state: &str) -> Vec<serde_json::Value> {
    let jobs = json(store, &["list", "q", "--state", state]);
    let jobs = jobs.as_array().unwrap();
    jobs.iter().map(|job| job["data"].clone()).collect()
}

#[test]
fn what_add_says_of_a_job_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    printed(&store, &["add", "q", "n", "1"]);
    printed(
        &store,
        &["add", "q", "n", "2", "--lifo", "--timeout", "30s"],
    );
    assert_eq!(payloads(&store, "waiting"), [2, 1]);
    let held = ["--dedup", "order-17", "--dedup-ttl", "1h"];
    let first = json(&store, &[&["add", "q", "n", "3"], &held[..]].concat());
    let again = json(&store, &[&["add", "q", "n", "4"], &held[..]].concat());
    assert_eq!(
        (&again["id"], &again["existing"]),
        (&first["id"], &true.into())
    );
    let grouped = json(&store, &["add", "q", "n", "5", "--group", "customer-42"]);
    let shown = json(&store, &["show", "q", grouped["id"].as_str().unwrap()]);
    assert_eq!(shown["group"], "customer-42");
    for (arguments, expected) in [
        (["--backoff", "linear:1s"], "exponential:2s"),
        (["--timeout", "0s"], "longer than zero"),
        (["--group", "a:b"], "colon"),
        (["--dedup-ttl", "5s"], "--dedup"),
    ] {
        let arguments = [&["add", "q", "n", "1"], &arguments[..]].concat();
        refused(&store, &arguments, 2, expected);
    }
}

#[test]
fn many_jobs_are_changed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    for number in ["1", "2", "3"] {
        printed(&store, &["add", "q", "n", number, "--delay", "1h"]);
    }
    assert_eq!(json(&store, &["promote", "q", "--all"])["jobs"], 3);
    assert_eq!(payloads(&store, "waiting"), [1, 2, 3]);
    assert_eq!(json(&store, &["retry", "q", "--all"])["jobs"], 0);
    printed(&store, &["add", "q", "n", "4", "--delay", "1h"]);
    for verb in [
        &["drain", "q"][..],
        &["obliterate", "q"],
        &["clean", "q", "--state", "delayed", "--older-than", "0s"],
    ] {
        refused(&store, verb, 2, "--yes");
    }
    assert_eq!(json(&store, &["drain", "q", "--yes"])["jobs"], 3);
    assert_eq!(payloads(&store, "delayed"), [4]);
    let clean = [
        "clean",
        "q",
        "--state",
        "delayed",
        "--older-than",
        "1h",
        "--yes",
    ];
    assert_eq!(json(&store, &clean)["jobs"], 0, "it is not old enough");
    let clean = [
        "clean",
        "q",
        "--state",
        "delayed",
        "--older-than",
        "0s",
        "--yes",
    ];
    assert_eq!(json(&store, &clean)["jobs"], 1);
    let clean = [
        "clean",
        "q",
        "--state",
        "active",
        "--older-than",
        "0s",
        "--yes",
    ];
    refused(&store, &clean, 2, "active jobs cannot be cleaned");
    printed(&store, &["add", "q", "n", "5", "--delay", "1h"]);
    assert_eq!(
        json(&store, &["drain", "q", "--delayed", "--yes"])["jobs"],
        1
    );
    printed(&store, &["add", "q", "n", "6"]);
    refused(
        &store,
        &["obliterate", "q", "--yes"],
        1,
        "paceline jobs pause",
    );
    printed(&store, &["pause", "q"]);
    assert_eq!(json(&store, &["obliterate", "q", "--yes"])["jobs"], 1);
    assert!(printed(&store, &["list"]).contains("no queues"));
}

#[test]
fn jobs_are_found_by_text_name_and_state() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    let to = |name: &str| format!("{{\"to\":\"{name}@example.com\"}}");
    printed(&store, &["add", "q", "welcome", &to("ada")]);
    printed(&store, &["add", "q", "bye", &to("ada"), "--delay", "1h"]);
    printed(&store, &["add", "q", "welcome", &to("bob")]);
    for (arguments, expected) in [
        (&["--text", "ada@"][..], 2),
        (&["--name", "welcome"], 2),
        (&["--text", "ada@", "--name", "welcome"], 1),
        (&["--state", "delayed"], 1),
        (&["--state", "delayed", "--state", "waiting"], 3),
        (&["--text", "nobody"], 0),
    ] {
        let found = json(&store, &[&["search", "q"], arguments].concat());
        assert_eq!(found["total"], expected, "{arguments:?}");
        let jobs = found["jobs"].as_array().unwrap().len();
        assert_eq!(jobs, expected, "{arguments:?}");
    }
    assert!(printed(&store, &["search", "q", "--text", "nobody"]).contains("no such jobs"));
}

#[test]
fn bounds_are_set_one_by_one_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    printed(
        &store,
        &["set", "q", "--concurrency", "10", "--rate", "100/1m"],
    );
    printed(
        &store,
        &[
            "set",
            "q",
            "--group-concurrency",
            "1",
            "--group-rate",
            "10/1s",
        ],
    );
    let all = json(&store, &["set", "q"]);
    let expected = serde_json::json!({
        "concurrency": 10, "rate": {"max": 100, "per": 60_000},
        "group_concurrency": 1, "group_rate": {"max": 10, "per": 1_000},
    });
    assert_eq!(all, expected);
    let fewer = json(&store, &["set", "q", "--rate", "none"]);
    assert_eq!(
        (&fewer["rate"], &fewer["concurrency"]),
        (&serde_json::Value::Null, &10.into())
    );
    refused(&store, &["set", "q", "--rate", "100"], 2, "100/1m");
    refused(&store, &["set", "q", "--concurrency", "0"], 2, "none");
}

#[test]
fn schedulers_are_set_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    let nightly = ["schedulers", "set", "q", "nightly", "report", "{\"of\":1}"];
    let cron = ["--cron", "0 3 * * *", "--tz", "Europe/Berlin"];
    printed(&store, &[&nightly[..], &cron].concat());
    let every = [
        "schedulers",
        "set",
        "q",
        "ping",
        "ping",
        "1",
        "--every",
        "1h",
        "--now",
        "--limit",
        "3",
    ];
    printed(&store, &every);
    let listed = json(&store, &["schedulers", "list", "q"]);
    assert_eq!(listed[0]["id"], "nightly");
    assert_eq!(listed[0]["schedule"]["cron"]["zone"], "Europe/Berlin");
    assert!(listed[0]["next"].is_number());
    let table = printed(&store, &["schedulers", "list", "q"]);
    assert!(table.contains("0 3 * * * (Europe/Berlin)"), "{table}");
    printed(&store, &["schedulers", "remove", "q", "nightly"]);
    refused(
        &store,
        &["schedulers", "remove", "q", "nightly"],
        1,
        "no scheduler",
    );
    for (more, expected) in [
        (&["--cron", "every day"][..], "schedule"),
        (&["--cron", "0 3 * * *", "--tz", "Mars/Base"], "Mars/Base"),
        (
            &["--cron", "0 3 * * *", "--every", "1m"],
            "cannot be used with",
        ),
        (&[], "--cron"),
        (&["--every", "0s"], "longer than zero"),
        (
            &["--every", "1m", "--start", "tomorrow"],
            "2026-12-01T08:00:00Z",
        ),
        (&["--every", "1m", "--catch-up", "some"], "skip, one or all"),
    ] {
        refused(&store, &[&nightly[..], more].concat(), 2, expected);
    }
}

#[test]
fn the_doctor_looks_at_the_file_and_its_queues() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("jobs.db");
    printed(&store, &["add", "q", "n", "1"]);
    printed(&store, &["pause", "q"]);
    let doctor = |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["jobs", "doctor", &format!("sqlite:{}", store.display())]);
        command.args(more).output().unwrap()
    };
    let output = doctor(&[]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("ok     the file is in WAL mode"), "{told}");
    assert!(
        told.contains("q is paused and 1 jobs wait: paceline jobs resume q"),
        "{told}"
    );
    let found: serde_json::Value = serde_json::from_slice(&doctor(&["--json"]).stdout).unwrap();
    assert!(
        found
            .as_array()
            .unwrap()
            .iter()
            .all(|finding| finding["grade"] != "wrong")
    );
    refused(&store, &["retry", "q"], 2, "<ID>");
}

#[test]
fn a_job_added_beside_a_running_server_is_run_by_it() {
    let server = Server::demo(&[]);
    let store = server.dir.join("jobs.db");
    let mail = r#"{"to":"ada@example.com","subject":"Beside","body":""}"#;
    let added = printed(&store, &["add", "emails", "send-email", mail, "--json"]);
    let added: serde_json::Value = serde_json::from_str(&added).unwrap();
    let path = format!("/api/jobs/emails/{}", added["id"].as_str().unwrap());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while server.get(&path).json()["state"] != "completed" {
        assert!(
            std::time::Instant::now() < deadline,
            "{}",
            server.get(&path).text()
        );
        std::thread::yield_now();
    }
    assert!(printed(&store, &["list"]).contains("emails"));
}
