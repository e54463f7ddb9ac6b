//! `paceline init DIR`: what it writes is served as it is, and can be written.

use std::path::Path;
use std::process::{Command, Output};

use crate::server::{BINARY, Server};

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

fn initialised(root: &Path) -> String {
    let service = root.join("service");
    let made = run(&["init", service.to_str().unwrap()]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    service.join("paceline.toml").display().to_string()
}

#[test]
fn a_book_is_changed_added_and_removed_without_a_login() {
    let root = tempfile::tempdir().unwrap();
    initialised(root.path());
    let server = Server::serve_folder(root.path().join("service"), Some(root));
    let before = server.get("/api/books/1?fields=title,updated_at").json();
    assert_eq!(before["title"], "Jane Eyre");
    let body = r#"{"title":"Jane Eyre: An Autobiography"}"#;
    let changed = server.send_json("PATCH", "/api/books/1", &[], body);
    assert_eq!(changed.status, 200, "{}", changed.text());
    let after = server.get("/api/books/1?fields=title,updated_at").json();
    assert_eq!(after["title"], "Jane Eyre: An Autobiography");
    assert!(
        after["updated_at"].as_str() > before["updated_at"].as_str(),
        "{after}"
    );
    let body = r#"{"author_id":2,"title":"R.U.R.","published":1920}"#;
    let added = server.send_json("POST", "/api/books", &[], body);
    assert_eq!(added.status, 201, "{}", added.text());
    let address = added.header("location").to_owned();
    assert_eq!(server.send("DELETE", &address, &[], None).status, 204);
    server
        .send_json("PATCH", "/api/authors/1", &[], "{}")
        .assert_problem(405, "method-not-allowed");
}

#[test]
fn what_it_writes_is_checked_and_not_shown_to_other_machines() {
    let root = tempfile::tempdir().unwrap();
    let config = initialised(root.path());
    let checked = run(&["check", "--config", &config]);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let refused = run(&["serve", "--config", &config, "--listen", "0.0.0.0:0"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("--public"), "{told}");
}
