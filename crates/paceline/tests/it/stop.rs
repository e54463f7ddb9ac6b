//! Starting, stopping, and what the health routes say meanwhile.

use std::io::Read;
use std::process::Command;

use crate::client;
use crate::server::{BINARY, Server, shared_demo};

#[test]
fn sigterm_lets_an_export_finish_and_ends_with_success() {
    let server = Server::demo(&[]);
    let url = format!("{}/api/export/posts", server.base);
    let (status, _, mut body) = client::open(&url, &[]);
    assert_eq!(status, 200);
    let mut start = [0u8; 1000];
    body.read_exact(&mut start).unwrap();
    server.terminate();
    let mut rest = Vec::new();
    body.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.last(), Some(&b']'));
    let (status, _) = server.wait();
    assert!(status.success(), "{status}");
}

#[test]
fn health_and_readiness_answer() {
    let server = shared_demo();
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
}

#[test]
fn wrong_usage_ends_with_two_and_says_what_to_do() {
    for arguments in [
        &["serve", "sqlite:/nonexistent/missing.db"][..],
        &["serve", "gopher://x"],
        &["serve", "--config", "/nonexistent/paceline.toml"],
        &["demo", "--listen", "nonsense"],
        &["nonsense"],
    ] {
        let output = Command::new(BINARY).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("error"), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    }
}

#[test]
fn an_export_is_whole_in_each_format() {
    let server = shared_demo();
    let array = server.get("/api/export/users");
    assert_eq!(array.json().as_array().unwrap().len(), 10_000);
    let lines = server.get_with("/api/export/users", &["Accept: application/x-ndjson"]);
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(lines.text().lines().count(), 10_000);
    let table = server.get_with("/api/export/users?fields=id,name", &["Accept: text/csv"]);
    assert!(table.header("content-type").starts_with("text/csv"));
    assert_eq!(table.text().lines().next(), Some("id,name"));
    assert_eq!(
        server
            .get_with("/api/export/users", &["Accept: image/png"])
            .status,
        406
    );
}

#[test]
fn a_foreign_host_gets_nothing() {
    let server = shared_demo();
    server
        .get_with("/api/users/1", &["Host: evil.example"])
        .assert_problem(421, "host-not-allowed");
}
