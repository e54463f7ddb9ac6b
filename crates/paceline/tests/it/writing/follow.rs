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
    super::worlds_and_planetscale(CONFIG, &|url| {
        let made = Command::new(BINARY)
            .args(["migrate", "install-outbox", url, "--yes"])
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

/// What a server that was killed had taken is free within ten seconds, and at `PlanetScale`, where its transaction ends
/// by itself, within twenty more.
fn wait_for(server: &Server, count: usize) -> Vec<(String, serde_json::Value)> {
    let began = Instant::now();
    loop {
        let found = jobs(server);
        if found.len() >= count {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(50), "{found:?}");
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

/// Several servers look into one table: what one has taken, others leave to it for its time.
#[test]
fn a_job_that_another_server_has_taken_is_left_to_it_until_its_time_is_over() {
    // SQLite has one server.
    for world in open_worlds().into_iter().skip(1) {
        let engine = world.engine;
        world.run(
            "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at, claimed_until) VALUES
             ('a1', 'mails', 'taken', '1', '{}', 0, 99999999999999), ('a2', 'mails', 'free', '2', '{}', 0, NULL),
             ('a3', 'mails', 'left', '3', '{}', 0, 1)",
        );
        let names = |found: Vec<(String, serde_json::Value)>| -> Vec<String> {
            found.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(
            names(wait_for(&world.server, 2)),
            ["free", "left"],
            "{engine}"
        );
        world.run("UPDATE paceline_outbox SET claimed_until = 1");
        assert_eq!(
            names(wait_for(&world.server, 3)),
            ["free", "left", "taken"],
            "{engine}"
        );
    }
}

/// Each server has a job store of its own here, so that a job both have moved is seen.
#[test]
fn of_two_servers_at_one_table_one_moves_each_job() {
    for world in open_worlds().into_iter().skip(1) {
        let engine = world.engine;
        let folder = tempfile::tempdir().unwrap();
        let config = "paceline.toml";
        std::fs::copy(world.server.dir.join(config), folder.path().join(config)).unwrap();
        let other = Server::serve_folder(folder.path().to_owned(), None);
        let rows: Vec<String> = (0..1000)
            .map(|number| format!("('j{number}', 'mails', 'many', '{number}', '{{}}', 0)"))
            .collect();
        for rows in rows.chunks(100) {
            world.run(&format!(
                "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) VALUES {}",
                rows.join(", ")
            ));
        }
        let began = Instant::now();
        while world.sql("SELECT count(*) FROM paceline_outbox") != "0" {
            assert!(began.elapsed() < Duration::from_secs(40), "{engine}");
        }
        let mut moved: Vec<u64> = [&world.server, &other]
            .into_iter()
            .flat_map(jobs)
            .map(|(_, data)| data.as_u64().unwrap())
            .collect();
        moved.sort_unstable();
        assert!(moved.into_iter().eq(0..1000), "{engine}");
    }
}

/// A table that an earlier version has made gets what it lacks.
#[test]
fn a_table_of_an_earlier_version_is_completed() {
    let world = super::worlds_after("[resources.posts]\n", &|_| {}).swap_remove(1);
    assert_eq!(world.engine, "postgres");
    let url = world.server_url().unwrap();
    let install = || {
        let mut install = Command::new(BINARY);
        install.args(["migrate", "install-outbox", &url, "--yes"]);
        assert!(install.status().unwrap().success());
    };
    install();
    world.run("ALTER TABLE paceline_outbox DROP COLUMN claimed_until");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paceline.toml");
    std::fs::write(&path, format!("[database]\nurl = \"{url}\"\n{CONFIG}")).unwrap();
    let check = || {
        let mut check = Command::new(BINARY);
        check.arg("check").arg("--config").arg(&path);
        check.output().unwrap()
    };
    let refused = check();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("paceline migrate install-outbox"), "{told}");
    install();
    let checked = check();
    let told = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(0), "{told}");
}

#[test]
fn a_server_without_the_table_does_not_start_and_names_the_command() {
    for held in super::databases() {
        let url = held.url();
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
}
