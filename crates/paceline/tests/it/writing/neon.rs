//! Writes over HTTP: what is refused by name, and what each verb does through the whole service.

use std::process::Command;

use super::over_http;
use crate::server::BINARY;

const CONFIG: &str = r#"
[resources.notes]
type = "note"
write = ["create", "update", "replace", "delete"]
anonymous_write = true

[resources.posts]
type = "post"
hidden = ["secret_plan"]
write = ["create", "update", "replace", "delete"]
anonymous_write = true
"#;

#[test]
fn each_verb_writes_and_answers_the_row() {
    let world = over_http(CONFIG);
    let server = &world.server;
    let body = r#"{"text":"x","member_id":1,"extra":{"a":{"b":1},"c":2}}"#;
    let made = server.send_json("POST", "/api/notes", &[], body);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        (&made.json()["id"], made.header("location")),
        (&4.into(), "/api/notes/4")
    );
    let tag = format!("If-Match: {}", made.header("etag"));
    let patch = r#"{"extra":{"a":{"b":null,"d":3}}}"#;
    let changed = server.send_json("PATCH", "/api/notes/4", &[&tag], patch);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        changed.json()["extra"],
        serde_json::json!({"a": {"d": 3}, "c": 2})
    );
    assert_eq!(
        server.get("/api/notes/4").header("etag"),
        changed.header("etag")
    );
    let again = server.send_json("PATCH", "/api/notes/4", &[&tag], patch);
    again.assert_problem(412, "precondition-failed");
    let gone = server.send("DELETE", "/api/notes/4", &[&tag], None);
    gone.assert_problem(412, "precondition-failed");
    let tag = format!("If-Match: {}", changed.header("etag"));
    assert_eq!(
        server.send("DELETE", "/api/notes/4", &[&tag], None).status,
        204
    );
    assert_eq!(server.send("DELETE", "/api/notes/4", &[], None).status, 404);

    let taken = server.send_json("POST", "/api/posts", &[], r#"{"id":9,"title":"By Ada"}"#);
    let problem = taken.assert_problem(409, "conflict");
    assert_eq!(problem["errors"][0]["pointer"], "/title", "{problem}");
    let wrong = server.send_json("PATCH", "/api/notes/1", &[], r#"{"stars":-1}"#);
    let problem = wrong.assert_problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["pointer"], "/stars", "{problem}");
    // Whoever wrote is told no older count.
    let total = || server.get("/api/posts").json()["pagination"]["total"].clone();
    assert_eq!(total(), 2);
    let new = server.send_json(
        "PUT",
        "/api/posts/9",
        &[],
        r#"{"title":"t","words":1,"member_id":2}"#,
    );
    assert_eq!(new.status, 201, "{}", new.text());
    assert_eq!(total(), 3);
}

#[test]
fn what_needs_an_interactive_transaction_is_refused_by_name() {
    let world = over_http(CONFIG);
    let server = &world.server;
    let key = "Idempotency-Key: one";
    for (body, kind) in [
        (r#"{"text":"x","member_id":1}"#, "one row"),
        (r#"[{"text":"x","member_id":1}]"#, "an array"),
    ] {
        let refused = server.send_json("POST", "/api/notes", &[key], body);
        let problem = refused.assert_problem(400, "idempotency-unavailable");
        assert!(
            problem["detail"].as_str().unwrap().contains("over HTTP"),
            "{kind}: {problem}"
        );
    }
    assert_eq!(world.sql("SELECT count(*) FROM notes"), "3");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    let config = "[database]\nurl = \"neon+https://u:hunter2@db.example.com/d\"\n[jobs]\nurl = \"sqlite:j.db\"\n\
         [resources.post]\nwrite = [\"create\"]\nanonymous_write = true\non.insert = { queue = \"q\", job = \"j\" }\n";
    std::fs::write(&file, config).unwrap();
    let told = |arguments: &[&str]| {
        let output = Command::new(BINARY).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(
            told.contains("postgres://") && !told.contains("hunter2"),
            "{told}"
        );
    };
    told(&["check", "--config", file.to_str().unwrap()]);
    for table in ["install-idempotency", "install-outbox"] {
        told(&["migrate", table, "neon+https://u:hunter2@db.example.com/d"]);
    }
}
