//! Jobs that follow writes: there exactly if the write is.

use std::process::Command;
use std::time::{Duration, Instant};

use super::World;
use crate::server::{BINARY, Server};

const CONFIG: &str = r#"
[resources.posts]
type = "post"
hidden = ["secret_plan"]
write = ["create", "update", "replace", "delete"]
anonymous_write = true

[resources.posts.on]
insert = { queue = "mails", job = "welcome" }
update = { queue = "mails", job = "changed" }
delete = { queue = "mails", job = "gone" }

[jobs]
url = "sqlite:jobs.db"
"#;

fn open_worlds() -> Vec<World> {
    super::worlds_after(CONFIG, &|url| {
        let made = Command::new(BINARY)
            .args(["migrate", "install-outbox", url])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    })
}

/// Name and payload of the jobs in the store, in order.
fn jobs(server: &Server) -> Vec<(String, serde_json::Value)> {
    let store = rusqlite::Connection::open(server.dir.join("jobs.db")).unwrap();
    let mut select = store
        .prepare("SELECT name, data FROM paceline_jobs ORDER BY seq")
        .unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
    let rows = select.query_map([], read).unwrap();
    rows.map(|row| row.unwrap())
        .map(|(name, data)| (name, serde_json::from_str(&data).unwrap()))
        .collect()
}

fn wait_for(server: &Server, count: usize) -> Vec<(String, serde_json::Value)> {
    let began = Instant::now();
    loop {
        let found = jobs(server);
        if found.len() >= count {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{found:?}");
        std::thread::yield_now();
    }
}

#[test]
fn each_write_is_followed_by_its_job_and_a_refused_one_by_none() {
    for world in open_worlds() {
        let (engine, server) = (world.engine, &world.server);
        let send = |method: &str, path: &str, body: &str| {
            server.send_json(method, path, &[], body).status.as_u16()
        };
        assert_eq!(
            send("POST", "/api/posts", r#"{"id":10,"title":"New"}"#),
            201,
            "{engine}"
        );
        assert_eq!(
            send("POST", "/api/posts", r#"{"id":11,"title":"New"}"#),
            409,
            "{engine}"
        );
        assert_eq!(
            send("PATCH", "/api/posts/10", r#"{"words":7}"#),
            200,
            "{engine}"
        );
        assert_eq!(
            send("PATCH", "/api/posts/10", "{}"),
            200,
            "{engine}: nothing changed"
        );
        assert_eq!(send("DELETE", "/api/posts/10", ""), 204, "{engine}");
        assert_eq!(send("DELETE", "/api/posts/10", ""), 404, "{engine}");
        assert_eq!(
            send(
                "POST",
                "/api/posts",
                r#"[{"id":12,"title":"a"},{"id":13,"title":"b"}]"#
            ),
            201,
            "{engine}"
        );
        assert_eq!(
            send(
                "POST",
                "/api/posts",
                r#"[{"id":14,"title":"c"},{"id":15,"title":"a"}]"#
            ),
            409,
            "{engine}"
        );
        let found = wait_for(server, 5);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["welcome", "changed", "gone", "welcome", "welcome"],
            "{engine}"
        );
        let row = serde_json::json!({"id": 10, "title": "New", "words": null, "member_id": null});
        assert_eq!(found[0].1, row, "{engine}: the exposed fields");
        assert_eq!(found[1].1["words"], 7, "{engine}");
        assert_eq!(found[2].1["title"], "New", "{engine}: as it was");
        assert_eq!(found[4].1["id"], 13, "{engine}");
        // The rows go once the store has answered.
        let began = Instant::now();
        while world.sql("SELECT count(*) FROM paceline_outbox") != "0" {
            assert!(began.elapsed() < Duration::from_secs(20), "{engine}");
            std::thread::yield_now();
        }
    }
}

/// The job store is locked, so that the relay cannot move the job before the server is killed.
#[test]
fn a_server_killed_before_the_job_is_moved_moves_it_when_it_is_back() {
    for mut world in open_worlds() {
        let engine = world.engine;
        let store = rusqlite::Connection::open(world.server.dir.join("jobs.db")).unwrap();
        store.execute_batch("BEGIN IMMEDIATE").unwrap();
        let made = world
            .server
            .send_json("POST", "/api/posts", &[], r#"{"id":10,"title":"New"}"#);
        assert_eq!(made.status, 201, "{engine}: {}", made.text());
        let killed = Command::new("kill")
            .args(["-KILL", &world.server.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        assert_eq!(
            world.sql("SELECT count(*) FROM paceline_outbox"),
            "1",
            "{engine}"
        );
        store.execute_batch("ROLLBACK").unwrap();
        assert_eq!(jobs(&world.server).len(), 0, "{engine}");
        world.restart();
        let found = wait_for(&world.server, 1);
        assert_eq!(found.len(), 1, "{engine}");
        assert_eq!(found[0].0, "welcome", "{engine}");
    }
}

#[test]
fn a_server_without_the_table_does_not_start_and_names_the_command() {
    let (url, _held) = super::postgres_database();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paceline.toml");
    std::fs::write(&path, format!("[database]\nurl = \"{url}\"\n{CONFIG}")).unwrap();
    let checked = Command::new(BINARY)
        .arg("check")
        .arg("--config")
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(2));
    let told = String::from_utf8_lossy(&checked.stderr);
    assert!(told.contains("paceline migrate install-outbox"), "{told}");
}
