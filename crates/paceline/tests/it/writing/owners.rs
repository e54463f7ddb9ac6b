//! Rows with owners: to everybody else they are not there, on every route.

use std::io::BufReader;

use super::{World, new_key, worlds};
use crate::client;
use crate::server::Server;
use crate::stream::next_event;

const CONFIG: &str = r#"
[resources.members]
access = { list = "owner(id)", read = "owner(id)" }

[resources.notes]
type = "note"
write = ["create", "update", "replace", "delete"]
access = { list = "owner(member_id)", read = "owner(member_id)", create = "owner(member_id)", update = "owner(member_id)", delete = "owner(member_id)" }

[resources.posts]
type = "post"
relations = { author = "member_id" }
write = ["create", "update", "replace", "delete"]
access = { create = "owner(member_id)", update = "owner(member_id)", delete = "owner(member_id)" }

[stream]
"#;

const DOCUMENT: &str = "Accept: application/vnd.api+json";

fn ids(rows: &serde_json::Value) -> Vec<i64> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn each_reads_their_own_rows() {
    for World {
        engine,
        server,
        ada,
        bob,
        ..
    } in worlds(CONFIG)
    {
        for path in [
            "/api/notes",
            "/api/notes/1",
            "/api/export/notes",
            "/api/members/1",
        ] {
            server.get(path).assert_problem(401, "unauthorized");
        }
        for _ in 0..2 {
            let (own, others) = (
                server.get_with("/api/notes?sort=id", &[&ada]),
                server.get_with("/api/notes?sort=id", &[&bob]),
            );
            assert_eq!(ids(&own.json()["data"]), [1, 3], "{engine}");
            assert_eq!(ids(&others.json()["data"]), [2], "{engine}");
            assert_eq!(own.json()["pagination"]["total"], 2, "{engine}");
            assert_eq!(others.json()["pagination"]["total"], 1, "{engine}");
            assert_eq!(own.header("cache-control"), "private, no-cache");
        }
        let estimated = server.get_with("/api/notes?count=estimated", &[&bob]);
        assert_eq!(estimated.json()["pagination"]["total"], 1, "{engine}");
        let exported = server.get_with("/api/export/notes?fields=id", &[&ada]);
        assert_eq!(ids(&exported.json()), [1, 3], "{engine}");
        // A filter narrows what is one's own, and nothing else.
        let asked = server.get_with("/api/notes?member_id=2", &[&ada]);
        assert_eq!(ids(&asked.json()["data"]), [] as [i64; 0], "{engine}");
        let absent = server.get_with("/api/notes/999", &[&ada]);
        let others = server.get_with("/api/notes/2", &[&ada]);
        assert_eq!(others.status, 404, "{engine}: {}", others.text());
        assert_eq!(
            others.body, absent.body,
            "{engine}: nothing tells them apart"
        );
        assert_eq!(server.get_with("/api/notes/2", &[&bob]).status, 200);
    }
}

/// A tag or a kept answer of one is none of another's.
#[test]
fn what_is_kept_for_one_is_not_told_to_another() {
    for World {
        engine,
        server,
        ada,
        bob,
        ..
    } in worlds(CONFIG)
    {
        for path in ["/api/notes", "/api/notes/1", "/api/members/1"] {
            let own = server.get_with(path, &[&ada]);
            assert_eq!(own.status, 200, "{engine} {path}: {}", own.text());
            let tag = format!("If-None-Match: {}", own.header("etag"));
            assert_eq!(
                server.get_with(path, &[&ada, &tag]).status,
                304,
                "{engine} {path}"
            );
            let other = server.get_with(path, &[&bob, &tag]);
            let expected = if path == "/api/notes" { 200 } else { 404 };
            assert_eq!(other.status, expected, "{engine} {path}");
            assert!(!other.text().contains("ada"), "{engine} {path}");
        }
        // Two empty lists are the same bytes, and still two answers.
        let empty = "/api/notes?stars=7";
        let tag = server.get_with(empty, &[&ada]).header("etag").to_owned();
        let other = server.get_with(empty, &[&bob, &format!("If-None-Match: {tag}")]);
        assert_eq!(other.status, 200, "{engine}");
        // Rows for everybody are one answer for all.
        let shared = server.get("/api/posts").header("etag").to_owned();
        let tag = format!("If-None-Match: {shared}");
        assert_eq!(
            server.get_with("/api/posts", &[&bob, &tag]).status,
            304,
            "{engine}"
        );
    }
}

#[test]
fn rows_within_others_are_their_owners_too() {
    for World {
        engine,
        server,
        ada,
        bob,
        ..
    } in worlds(CONFIG)
    {
        let path = "/api/posts?fields=id,author.email&sort=id";
        server.get(path).assert_problem(401, "unauthorized");
        let seen = |who: &str| server.get_with(path, &[who]).json()["data"].clone();
        assert_eq!(
            seen(&ada)[0]["author"]["email"],
            "ada@example.com",
            "{engine}"
        );
        assert!(seen(&ada)[1]["author"].is_null(), "{engine}");
        assert!(seen(&bob)[0]["author"].is_null(), "{engine}");
        assert_eq!(
            seen(&bob)[1]["author"]["email"],
            "bob@example.com",
            "{engine}"
        );
        for path in [
            "/api/posts/2?fields=author(email)",
            "/api/export/posts?fields=id,author.email",
        ] {
            let told = server.get_with(path, &[&ada]).text();
            assert!(!told.contains("bob@"), "{engine} {path}: {told}");
        }
        let document = server.get_with("/api/posts?include=author&title=By+Bob", &[&ada, DOCUMENT]);
        assert_eq!(document.status, 200, "{engine}: {}", document.text());
        assert!(
            !document.text().contains("bob@"),
            "{engine}: {}",
            document.text()
        );
        let walked = server.get_with("/api/posts?fields=author.email&limit=1&count=none", &[&ada]);
        let next = walked.json()["pagination"]["next"]
            .as_str()
            .unwrap()
            .to_owned();
        let next = server.get_with(
            &format!("/api/posts?fields=author.email&limit=1&cursor={next}"),
            &[&ada],
        );
        assert_eq!(next.status, 200, "{engine}: {}", next.text());
        assert!(next.json()["data"][0]["author"].is_null(), "{engine}");
    }
}

/// What is not shown is not found by a filter, told by an order, or gathered in a list.
#[test]
fn related_rows_of_others_are_neither_listed_nor_searched() {
    let config = r#"
[resources.members]
[resources.notes]
access = { list = "owner(member_id)", read = "owner(member_id)" }
"#;
    for World {
        engine,
        server,
        ada,
        bob,
        ..
    } in worlds(config)
    {
        let path = "/api/members?fields=id,notes.text&sort=id";
        server.get(path).assert_problem(401, "unauthorized");
        let texts = |who: &str, member: usize| {
            let answer = server.get_with(path, &[who]);
            assert_eq!(answer.status, 200, "{engine}: {}", answer.text());
            let rows = answer.json()["data"][member]["notes"].clone();
            rows.as_array().unwrap().len()
        };
        assert_eq!((texts(&ada, 0), texts(&ada, 1)), (2, 0), "{engine}");
        assert_eq!((texts(&bob, 0), texts(&bob, 1)), (0, 1), "{engine}");
        let one = server.get_with("/api/members/2?fields=id,notes.text", &[&ada]);
        assert_eq!(
            one.json()["notes"],
            serde_json::json!([]),
            "{engine}: {}",
            one.text()
        );
        let document = server.get_with("/api/members/2?include=notes", &[&ada, DOCUMENT]);
        assert!(
            !document.text().contains("of bob"),
            "{engine}: {}",
            document.text()
        );
        let search = "/api/members?notes.text=of+bob&fields=id";
        server.get(search).assert_problem(401, "unauthorized");
        let found = |who: &str| server.get_with(search, &[who]).json();
        assert_eq!(ids(&found(&ada)["data"]), [] as [i64; 0], "{engine}");
        assert_eq!(found(&ada)["pagination"]["total"], 0, "{engine}");
        assert_eq!(ids(&found(&bob)["data"]), [2], "{engine}");
        let exported = server.get_with("/api/export/members?notes.text=of+bob", &[&ada]);
        assert_eq!(exported.json(), serde_json::json!([]), "{engine}");
    }
    for World {
        engine,
        server,
        ada,
        ..
    } in worlds(CONFIG)
    {
        let found = server.get_with("/api/posts?author.email=bob@example.com", &[&ada]);
        assert_eq!(
            found.json()["pagination"]["total"],
            0,
            "{engine}: {}",
            found.text()
        );
        let sorted = server.get_with("/api/posts?sort=-author.email&fields=id", &[&ada]);
        assert_eq!(sorted.status, 200, "{engine}: {}", sorted.text());
        server
            .get("/api/posts?sort=author.email")
            .assert_problem(401, "unauthorized");
    }
}

#[test]
fn a_row_belongs_to_whoever_creates_it_and_stays_with_them() {
    for World {
        engine,
        server,
        ada,
        bob,
        ..
    } in worlds(CONFIG)
    {
        let post = |who: &str, body: &str| server.send_json("POST", "/api/notes", &[who], body);
        let made = post(&bob, r#"{"text":"New"}"#);
        assert_eq!(made.status, 201, "{engine}: {}", made.text());
        assert_eq!(made.json()["member_id"], 2, "{engine}");
        let path = made.header("location").to_owned();
        assert_eq!(
            post(&bob, r#"{"text":"Mine","member_id":2}"#).status,
            201,
            "{engine}"
        );
        let forged = post(&bob, r#"{"text":"x","member_id":1}"#);
        let problem = forged.assert_problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["pointer"], "/member_id", "{engine}");
        let moved = server.send_json("PATCH", &path, &[&bob], r#"{"member_id":1}"#);
        moved.assert_problem(422, "invalid-body");
        let kept = server.send_json("PATCH", &path, &[&bob], r#"{"member_id":2,"text":"Newer"}"#);
        assert_eq!(kept.status, 200, "{engine}: {}", kept.text());
        let whole = r#"{"text":"Whole","stars":1,"extra":null}"#;
        let put = server.send_json("PUT", &path, &[&bob], whole);
        assert_eq!(put.json()["member_id"], 2, "{engine}: {}", put.text());
        let created = server.send_json("PUT", "/api/notes/70", &[&bob], whole);
        assert_eq!(created.status, 201, "{engine}: {}", created.text());
        assert_eq!(created.json()["member_id"], 2, "{engine}");
        for (method, body) in [("PATCH", r#"{"text":"x"}"#), ("PUT", whole), ("DELETE", "")] {
            for condition in ["X-None: 1", "If-Match: *", "If-None-Match: \"x\""] {
                let absent = server.send_json(method, "/api/notes/999", &[&ada, condition], body);
                let other = server.send_json(method, &path, &[&ada, condition], body);
                // A row that is another's cannot be created, and tells nothing else.
                let expected = if method == "PUT" && absent.status == 201 {
                    404
                } else {
                    absent.status.as_u16()
                };
                assert_eq!(
                    other.status.as_u16(),
                    expected,
                    "{engine} {method} {condition}: {}",
                    other.text()
                );
                assert_ne!(other.status, 403, "{engine}");
                server.send("DELETE", "/api/notes/999", &[&ada], None);
            }
        }
        assert_eq!(
            server.get_with(&path, &[&bob]).json()["text"],
            "Whole",
            "{engine}"
        );
        let gone = server.send("DELETE", &path, &[&bob], None);
        assert_eq!(gone.status, 204, "{engine}: {}", gone.text());
    }
}

#[test]
fn the_stream_tells_owners_of_their_rows() {
    for World {
        engine,
        server,
        ada,
        bob,
        ..
    } in worlds(CONFIG)
    {
        let url = format!("{}/api/stream", server.base);
        let listen = |line: &str| {
            let value = line.split_once(": ").unwrap().1.to_owned();
            BufReader::new(client::open(&url, &[("Authorization", value.as_str())]).2)
        };
        let (mut to_ada, mut to_bob) = (listen(&ada), listen(&bob));
        let mut to_all = BufReader::new(client::open(&url, &[]).2);
        for (who, method, path, body) in [
            (&ada, "POST", "/api/notes", r#"{"text":"x"}"#),
            (&bob, "PATCH", "/api/notes/2", r#"{"text":"y"}"#),
            (&bob, "DELETE", "/api/notes/2", ""),
            (&bob, "POST", "/api/posts", r#"{"id":9,"title":"End"}"#),
        ] {
            let answer = server.send_json(method, path, &[who], body);
            assert!(answer.status.is_success(), "{engine}: {}", answer.text());
        }
        let told = |reader: &mut dyn std::io::BufRead| {
            let mut reader = reader;
            let mut told = Vec::new();
            loop {
                let event: serde_json::Value =
                    serde_json::from_str(&next_event(&mut reader).2).unwrap();
                if event["resource"] == "posts" {
                    return told;
                }
                told.push(event["kind"].as_str().unwrap().to_owned());
            }
        };
        assert_eq!(told(&mut to_ada), ["created"], "{engine}");
        assert_eq!(told(&mut to_bob), ["updated", "deleted"], "{engine}");
        assert_eq!(told(&mut to_all), [] as [&str; 0], "{engine}");
    }
}

#[test]
fn keys_are_for_what_their_verbs_say() {
    let (reader, table) = new_key("reader", "1");
    let table = table.replace(
        "# verbs = [\"list\", \"read\"]   # all without this line",
        "verbs = [\"read\"]",
    );
    let config = format!("{CONFIG}\n{table}");
    for World { server, .. } in worlds(&config) {
        let line = format!("Authorization: Bearer {reader}");
        assert_eq!(server.get_with("/api/notes/1", &[&line]).status, 200);
        server
            .get_with("/api/notes", &[&line])
            .assert_problem(403, "forbidden");
        let refused = server.send_json("POST", "/api/notes", &[&line], r#"{"text":"x"}"#);
        refused.assert_problem(403, "forbidden");
        let wrong = server.get_with("/api/notes/1", &[&format!("{line}x")]);
        wrong.assert_problem(401, "unauthorized");
        assert!(wrong.header("www-authenticate").starts_with("Bearer"));
        let other = server.get_with("/api/notes/1", &[&format!("X-API-Key: {reader}")]);
        other.assert_problem(401, "unauthorized");
    }
}

#[test]
fn the_description_says_whose_rows() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("app.db")).unwrap();
    connection
        .execute_batch("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, member_id INTEGER NOT NULL)")
        .unwrap();
    let (_, table) = new_key("ada", "1");
    let config = format!(
        "[database]\nurl = \"sqlite:app.db\"\n[resources.notes]\nwrite = [\"create\"]\n\
         access = {{ list = \"owner(member_id)\", create = \"owner(member_id)\" }}\n{table}"
    );
    let server = Server::serve(&config, folder);
    let document = server.get("/openapi.json").json();
    let list = &document["paths"]["/api/notes"]["get"];
    assert_eq!(
        list["description"],
        "Tells of the caller's own rows only, as `member_id` says."
    );
    assert!(list["security"].is_array());
    assert!(document["paths"]["/api/notes/{key}"]["get"]["security"].is_null());
    assert_eq!(
        document["components"]["securitySchemes"]["token"]["scheme"],
        "bearer"
    );
    let new = &document["components"]["schemas"]["New.notes"];
    assert_eq!(new["required"], serde_json::json!(["text"]));
    assert!(
        new["properties"]["member_id"].is_null(),
        "it is set by the server"
    );
}
