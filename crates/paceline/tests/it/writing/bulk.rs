//! Many rows in one request: all of them, or none.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::{World, worlds};
use crate::client;
use crate::stream::next_event;

const CONFIG: &str = r#"
[resources.posts]
type = "post"
hidden = ["secret_plan"]
write = ["create"]
anonymous_write = true

[resources.notes]
type = "note"
write = ["create"]
access = { list = "owner(member_id)", read = "owner(member_id)", create = "owner(member_id)" }

[bulk]
max_rows = 50
max_lines = 3000

[stream]
"#;

const NDJSON: &str = "Content-Type: application/x-ndjson";

fn post_lines(world: &World, path: &str, headers: &[&str], body: &str) -> client::Answer {
    let headers: Vec<&str> = headers.iter().copied().chain([NDJSON]).collect();
    world
        .server
        .send("POST", path, &headers, Some(body.as_bytes()))
}

#[test]
fn an_array_is_created_whole_and_its_keys_are_answered() {
    for world in worlds(CONFIG) {
        let (engine, server) = (world.engine, &world.server);
        let body = r#"[{"id":10,"title":"a"},{"title":"b","id":11,"words":3},{"id":12,"title":"c","words":4}]"#;
        let made = server.send_json("POST", "/api/posts", &[], body);
        assert_eq!(made.status, 201, "{engine}: {}", made.text());
        assert_eq!(made.json()["count"], 3, "{engine}");
        assert_eq!(
            made.json()["data"],
            serde_json::json!([{"id": 10}, {"id": 11}, {"id": 12}]),
            "{engine}"
        );
        assert_eq!(
            world.sql("SELECT title FROM posts WHERE id = 11"),
            "b",
            "{engine}"
        );
        assert_eq!(
            world.sql("SELECT words FROM posts WHERE id = 12"),
            "4",
            "{engine}"
        );
        // Keys that the database makes come in the order of the rows, which are their creator's.
        let body = r#"[{"text":"x"},{"text":"y"},{"text":"z","stars":2}]"#;
        let made = server.send_json("POST", "/api/notes", &[&world.bob], body);
        assert_eq!(made.status, 201, "{engine}: {}", made.text());
        for (place, text) in ["x", "y", "z"].iter().enumerate() {
            let id = &made.json()["data"][place]["id"];
            let row = server.get_with(&format!("/api/notes/{id}"), &[&world.bob]);
            assert_eq!(row.json()["text"], *text, "{engine}");
            assert_eq!(row.json()["member_id"], 2, "{engine}");
        }
    }
}

#[test]
fn every_mistake_of_every_row_is_told_and_nothing_is_stored() {
    for world in worlds(CONFIG) {
        let (engine, server) = (world.engine, &world.server);
        let body = r#"[{"id":20,"title":"good"},{"id":"x","title":null},7,{"colour":1}]"#;
        let refused = server.send_json("POST", "/api/posts", &[], body);
        let problem = refused.assert_problem(422, "invalid-body");
        let errors = problem["errors"].as_array().unwrap().iter();
        let pointers: Vec<&str> = errors
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        for pointer in ["/1/id", "/1/title", "/2", "/3/colour", "/3/title"] {
            assert!(
                pointers.contains(&pointer),
                "{engine}: {pointer} in {problem}"
            );
        }
        // A rule of the schema names its row too.
        let body =
            r#"[{"id":20,"title":"good"},{"id":21,"title":"By Ada"},{"id":22,"title":"also"}]"#;
        let refused = server.send_json("POST", "/api/posts", &[], body);
        let problem = refused.assert_problem(409, "conflict");
        assert_eq!(
            problem["errors"][0]["pointer"], "/1/title",
            "{engine}: {problem}"
        );
        let body = r#"[{"text":"good"},{"text":"bad","stars":-1}]"#;
        let refused = server.send_json("POST", "/api/notes", &[&world.ada], body);
        let problem = refused.assert_problem(422, "invalid-body");
        assert!(
            problem["errors"][0]["pointer"]
                .as_str()
                .unwrap()
                .starts_with("/1"),
            "{engine}: {problem}"
        );
        assert_eq!(world.sql("SELECT count(*) FROM posts"), "2", "{engine}");
        assert_eq!(world.sql("SELECT count(*) FROM notes"), "3", "{engine}");
        let rows = vec![r#"{"text":"x"}"#; 51].join(",");
        let many = server.send_json("POST", "/api/notes", &[&world.ada], &format!("[{rows}]"));
        many.assert_problem(413, "too-many-rows");
        server
            .send_json("POST", "/api/posts", &[], "[]")
            .assert_problem(422, "invalid-body");
        server
            .send_json("POST", "/api/posts", &[], "[{]")
            .assert_problem(400, "malformed-body");
        server
            .send_json("POST", "/api/posts?fields=id", &[], "[{}]")
            .assert_problem(400, "unknown-parameter");
    }
}

#[test]
fn lines_are_created_in_one_transaction_and_reported() {
    for world in worlds(CONFIG) {
        let engine = world.engine;
        let rows = (0..1234)
            .map(|number| format!("{{\"id\":{},\"title\":\"t{number}\"}}\n", number + 100));
        let body: String = rows.collect::<String>() + "\r\n\n";
        let made = post_lines(&world, "/api/posts", &[], &body);
        assert_eq!(made.status, 201, "{engine}: {}", made.text());
        assert_eq!(made.header("content-type"), "application/x-ndjson");
        let text = made.text();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 1235, "{engine}");
        assert_eq!(
            lines[7],
            serde_json::json!({"line": 8, "status": 201, "key": {"id": 107}}),
            "{engine}"
        );
        assert_eq!(lines[1234], serde_json::json!({"count": 1234}), "{engine}");
        assert_eq!(world.sql("SELECT count(*) FROM posts"), "1236", "{engine}");

        let bad = "{\"id\":5000,\"title\":\"n\"}\n\n{\"id\":5001}\nnothing\n";
        let refused = post_lines(&world, "/api/posts", &[], bad);
        let problem = refused.assert_problem(422, "invalid-body");
        assert_eq!(
            problem["errors"][0]["pointer"], "/2/title",
            "{engine}: {problem}"
        );
        assert!(
            problem["errors"][0]["detail"]
                .as_str()
                .unwrap()
                .starts_with("Line 3:"),
            "{problem}"
        );
        assert_eq!(problem["errors"][1]["code"], "malformed", "{problem}");
        // One that only the database can refuse, far behind others.
        let rows = (0..900)
            .map(|number| format!("{{\"id\":{},\"title\":\"u{number}\"}}\n", number + 6000));
        let body = rows.collect::<String>() + "{\"id\":9000,\"title\":\"By Bob\"}\n";
        let refused = post_lines(&world, "/api/posts", &[], &body);
        let problem = refused.assert_problem(409, "conflict");
        assert_eq!(
            problem["errors"][0]["pointer"], "/900/title",
            "{engine}: {problem}"
        );
        assert_eq!(world.sql("SELECT count(*) FROM posts"), "1236", "{engine}");
        let many = "{\"id\":1,\"title\":\"x\"}\n".repeat(3001);
        post_lines(&world, "/api/posts", &[], &many).assert_problem(413, "too-many-rows");
        post_lines(&world, "/api/posts", &[], "\n\n").assert_problem(422, "invalid-body");
        post_lines(&world, "/api/posts", &["Idempotency-Key: k"], "{}")
            .assert_problem(400, "bad-request");
    }
}

#[test]
fn who_breaks_off_leaves_nothing_and_keeps_nobody_waiting() {
    for world in worlds(CONFIG) {
        let (engine, server) = (world.engine, &world.server);
        let address = server.base.strip_prefix("http://").unwrap();
        let mut slow = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /api/posts HTTP/1.1\r\nHost: {address}\r\n{NDJSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        slow.write_all(head.as_bytes()).unwrap();
        let line = "{\"id\":70,\"title\":\"slow\"}\n";
        slow.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes())
            .unwrap();
        let made = server.send_json("POST", "/api/posts", &[], r#"{"id":71,"title":"quick"}"#);
        assert_eq!(made.status, 201, "{engine}: {}", made.text());
        slow.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = slow.read_to_string(&mut String::new());
        assert_eq!(
            world.sql("SELECT count(*) FROM posts WHERE id = 70"),
            "0",
            "{engine}"
        );
    }
}

#[test]
fn the_stream_tells_of_few_rows_each_and_of_many_how_many() {
    for world in worlds(CONFIG) {
        let (engine, server) = (world.engine, &world.server);
        let mut stream =
            BufReader::new(client::open(&format!("{}/api/stream", server.base), &[]).2);
        server.send_json(
            "POST",
            "/api/posts",
            &[],
            r#"[{"id":80,"title":"a"},{"id":81,"title":"b"}]"#,
        );
        let rows =
            (0..200).map(|number| format!("{{\"id\":{},\"title\":\"v{number}\"}}\n", number + 200));
        post_lines(&world, "/api/posts", &[], &rows.collect::<String>());
        let mut next =
            || -> serde_json::Value { serde_json::from_str(&next_event(&mut stream).2).unwrap() };
        assert_eq!(next()["key"], "80", "{engine}");
        assert_eq!(next()["key"], "81", "{engine}");
        assert_eq!(next()["count"], 200, "{engine}");
    }
}
