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
