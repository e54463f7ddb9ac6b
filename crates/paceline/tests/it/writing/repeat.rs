//! `Idempotency-Key`: a write that is sent again is done once.

use std::process::Command;

use super::{World, interactive_worlds};
use crate::server::BINARY;

const CONFIG: &str = r#"
[resources.notes]
type = "note"
write = ["create", "update", "replace", "delete"]
access = { list = "user", read = "user", create = "user", update = "user", delete = "user" }
"#;

fn install(world: &World) {
    if let Some(url) = world.server_url() {
        let made = Command::new(BINARY)
            .args(["migrate", "install-idempotency", &url, "--yes"])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    }
}

/// Every engine, with the table.
fn installed() -> Vec<World> {
    let worlds = super::worlds_and_planetscale(CONFIG, &|_| {});
    worlds.iter().for_each(install);
    worlds
}

fn count(world: &World) -> String {
    world.sql("SELECT count(*) FROM notes")
}

#[test]
fn a_repeated_write_gets_the_same_answer_and_is_done_once() {
    for world in installed() {
        let (engine, server, ada) = (world.engine, &world.server, &world.ada);
        let body = r#"{"text":"x","member_id":1}"#;
        let post = |key: &str, who: &str, body: &str| {
            server.send_json(
                "POST",
                "/api/notes",
                &[who, &format!("Idempotency-Key: {key}")],
                body,
            )
        };
        let first = post("one", ada, body);
        assert_eq!(first.status, 201, "{engine}: {}", first.text());
        assert!(first.headers.get("idempotent-replayed").is_none());
        let again = post("one", ada, body);
        assert_eq!(again.status, 201, "{engine}: {}", again.text());
        assert_eq!(again.body, first.body, "{engine}");
        for name in ["etag", "location", "content-type"] {
            assert_eq!(again.header(name), first.header(name), "{engine}");
        }
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(count(&world), "4", "{engine}");
        post("one", ada, r#"{"text":"y","member_id":1}"#)
            .assert_problem(422, "idempotency-key-reused");
        // The key is the caller's, and the route's.
        assert_eq!(post("one", &world.bob, body).status, 201, "{engine}");
        assert_eq!(count(&world), "5", "{engine}");
        // What was refused left nothing: its key is free.
        let bad = r#"{"text":"x","member_id":77}"#;
        assert_eq!(post("two", ada, bad).status, 409, "{engine}");
        assert_eq!(post("two", ada, body).status, 201, "{engine}");
        // A change whose answer was lost is not refused by its own precondition.
        let path = first.header("location");
        let condition = format!("If-Match: {}", first.header("etag"));
        let change = || {
            let headers = [ada.as_str(), "Idempotency-Key: three", &condition];
            server.send_json("PATCH", path, &headers, r#"{"stars":5}"#)
        };
        let (changed, repeated) = (change(), change());
        assert_eq!(changed.status, 200, "{engine}: {}", changed.text());
        assert_eq!(repeated.status, 200, "{engine}: {}", repeated.text());
        assert_eq!(repeated.header("etag"), changed.header("etag"), "{engine}");
        let gone = || {
            server
                .send("DELETE", path, &[ada, "Idempotency-Key: four"], None)
                .status
        };
        assert_eq!(
            (gone(), gone()),
            (204.try_into().unwrap(), 204.try_into().unwrap()),
            "{engine}"
        );
        let array = r#"[{"text":"p","member_id":1},{"text":"q","member_id":2}]"#;
        let (many, same) = (post("five", ada, array), post("five", ada, array));
        assert_eq!(many.json()["count"], 2, "{engine}: {}", many.text());
        assert_eq!(many.body, same.body, "{engine}");
        post("a b", ada, body).assert_problem(400, "bad-request");
        // After a day the key is a new one.
        let yesterday = "UPDATE paceline_idempotency SET created_at = created_at - 86400001";
        world.run(yesterday);
        let later = post("one", ada, r#"{"text":"y","member_id":1}"#);
        assert_eq!(later.status, 201, "{engine}: {}", later.text());
        assert_eq!(
            world.sql("SELECT count(*) FROM paceline_idempotency"),
            "1",
            "{engine}: old ones are removed"
        );
    }
}

#[test]
fn of_many_at_the_same_time_one_is_done() {
    for world in installed() {
        let (engine, server, ada) = (world.engine, &world.server, &world.ada);
        let answers: Vec<(u16, Vec<u8>)> = std::thread::scope(|scope| {
            let send = || {
                let headers = [ada.as_str(), "Idempotency-Key: race"];
                let answer = server.send_json(
                    "POST",
                    "/api/notes",
                    &headers,
                    r#"{"text":"x","member_id":1}"#,
                );
                (answer.status.as_u16(), answer.body)
            };
            let running: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(
            answers
                .iter()
                .all(|answer| *answer == answers[0] && answer.0 == 201),
            "{engine}: {answers:?}"
        );
        assert_eq!(count(&world), "4", "{engine}");
    }
}

#[test]
fn without_its_table_the_header_is_refused_and_nothing_written() {
    // SQLite makes it.
    for world in interactive_worlds(CONFIG).into_iter().skip(1) {
        let headers = [world.ada.as_str(), "Idempotency-Key: one"];
        let body = r#"{"text":"x","member_id":1}"#;
        let post = || world.server.send_json("POST", "/api/notes", &headers, body);
        let problem = post().assert_problem(400, "idempotency-unavailable");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("paceline migrate install-idempotency"),
            "{problem}"
        );
        assert_eq!(count(&world), "3", "{}", world.engine);
        install(&world);
        let made = post();
        assert_eq!(made.status, 201, "no restart is needed: {}", made.text());
    }
}

/// The one who was waited for changed nothing: the next in line is judged by itself.
#[test]
fn whoever_waits_for_a_write_that_is_refused_is_refused_too() {
    for world in installed() {
        let (engine, server, ada) = (world.engine, &world.server, &world.ada);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let send = || {
                let headers = [ada.as_str(), "Idempotency-Key: wrong"];
                let body = r#"{"text":"x","member_id":77}"#;
                let answer = server.send_json("POST", "/api/notes", &headers, body);
                let code = answer.json()["code"].clone();
                let told = ["conflict", "idempotency-key-in-use"];
                assert!(told.iter().any(|told| code == *told), "{engine}: {code}");
                answer.status.as_u16()
            };
            let running: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses, [409; 8], "{engine}");
        // On SQLite the table went with the write that made it.
        if engine != "sqlite" {
            let left = world.sql("SELECT count(*) FROM paceline_idempotency");
            assert_eq!(left, "0", "{engine}");
        }
        assert_eq!(count(&world), "3", "{engine}");
    }
}
