//! Who may read and write what: the same answer on every route.

use std::io::BufReader;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use serde_json::Value;

use crate::client;
use crate::server::Server;
use crate::stream::next_event;

const CONFIG: &str = r#"
[database]
url = "sqlite:club.db"

[login]
table = "members"

[resources.members]
anonymous_read = false
hidden = ["diary"]

[resources.posts]
type = "post"
relations = { author = "member_id" }
hidden = ["draft"]
write = ["create", "update"]
anonymous_write = true

[resources.letters]
fields = ["id", "text"]
anonymous_read = false
write = ["create", "update"]
anonymous_write = true

[jobs]
url = "sqlite:jobs.db"

[email]
from = "Club <club@example.com>"
deliver = "maildir:mail"

[stream]
"#;

const PASSWORD: &str = "correct horse";

/// A club whose members and letters are for those who are logged in.
fn club() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let hash = Argon2::default()
        .hash_password(PASSWORD.as_bytes())
        .unwrap()
        .to_string();
    let connection = rusqlite::Connection::open(folder.path().join("club.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE members (id INTEGER PRIMARY KEY, email TEXT NOT NULL, password_hash TEXT, diary TEXT);
             CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, draft TEXT, member_id INTEGER REFERENCES members(id));
             CREATE TABLE letters (id INTEGER PRIMARY KEY, text TEXT, sealed TEXT);
             INSERT INTO members VALUES (1, 'ada@example.com', NULL, 'hidden words');
             INSERT INTO posts VALUES (1, 'Hello', 'hidden words', 1);
             INSERT INTO letters VALUES (1, 'Dear', 'hidden words');",
        )
        .unwrap();
    connection
        .execute("UPDATE members SET password_hash = ?", [hash])
        .unwrap();
    Server::serve(CONFIG, folder)
}

/// The header of somebody who has logged in.
fn token(server: &Server) -> String {
    let body = serde_json::json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    let granted = server.send_json("POST", "/api/auth/login", &[], &body);
    assert_eq!(granted.status, 200, "{}", granted.text());
    format!(
        "Authorization: Bearer {}",
        granted.json()["token"].as_str().unwrap()
    )
}

#[test]
fn what_needs_a_login_is_refused_without_and_answered_with_a_token() {
    let server = club();
    let token = token(&server);
    let document = "Accept: application/vnd.api+json";
    for (path, accept) in [
        ("/api/members", "Accept: */*"),
        ("/api/members?cursor=&count=none", "Accept: */*"),
        ("/api/members", document),
        ("/api/members/1", "Accept: */*"),
        ("/api/members/999", "Accept: */*"),
        ("/api/letters/1", "Accept: */*"),
        ("/api/export/members", "Accept: */*"),
        ("/api/export/members", "Accept: text/csv"),
        // Rows of members by way of what everybody may read.
        ("/api/posts?fields=title,author.email", "Accept: */*"),
        ("/api/posts/1?fields=author(email)", "Accept: */*"),
        ("/api/posts/1?include=author", document),
        ("/api/posts?include=author", document),
        ("/api/export/posts?fields=id,author.email", "Accept: */*"),
        ("/api/posts?author.email=ada%40example.com", "Accept: */*"),
        ("/api/posts?filter[author.id]=1&fields=id", document),
        ("/api/posts?sort=author.email&fields=id", "Accept: */*"),
        ("/api/posts?fields=author.posts.title", "Accept: */*"),
        ("/api/export/posts?author.id=1", "Accept: */*"),
    ] {
        for method in ["GET", "HEAD"] {
            let refused = server.send(method, path, &[accept], None);
            assert_eq!(refused.status, 401, "{method} {path}");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
        let refused = server.get_with(path, &[accept]);
        refused.assert_problem(401, "unauthorized");
        let forged = server.get_with(path, &[accept, &format!("{token}x")]);
        forged.assert_problem(401, "unauthorized");
        let answered = server.get_with(path, &[accept, &token]);
        let expected = match path {
            "/api/members/999" => 404,
            "/api/members?cursor=&count=none" => 400,
            _ => 200,
        };
        assert_eq!(answered.status, expected, "{path}: {}", answered.text());
        // Kept by now, and still for those with a token only.
        assert_eq!(server.get_with(path, &[accept]).status, 401, "{path}");
        if expected == 200 {
            let kept = answered.header("cache-control");
            assert!(kept.contains("private") || kept == "no-store", "{path}");
        }
    }
    assert_eq!(server.get("/api/posts/1").status, 200);
    assert_eq!(server.get_with("/api/posts/1", &[document]).status, 200);
}

/// A condition tells whether something exists, and is in which version: only to those who may know.
#[test]
fn trap_03_a_login_comes_before_preconditions() {
    let server = club();
    let conditions = ["If-None-Match: *", "If-Match: *", "If-Match: \"other\""];
    for path in [
        "/api/letters/1",
        "/api/letters/999",
        "/api/letters",
        "/api/members/1",
    ] {
        for condition in conditions {
            let refused = server.get_with(path, &[condition]);
            assert_eq!(refused.status, 401, "{path} {condition}");
            assert_eq!(refused.headers.get("etag"), None, "{path}");
        }
    }
    for condition in conditions {
        let change = server.send_json("PATCH", "/api/members/1", &[condition], "{}");
        assert!(
            [401, 405].contains(&change.status.as_u16()),
            "{}",
            change.status
        );
    }
    let token = token(&server);
    let answer = server.get_with("/api/letters/1", &[&token, "If-Match: \"other\""]);
    answer.assert_problem(412, "precondition-failed");
    let answer = server.get_with("/api/letters/1", &[&token, "If-None-Match: *"]);
    assert_eq!(answer.status, 304);
    assert!(answer.header("cache-control").contains("private"));
}

#[test]
fn who_may_write_and_not_read_gets_no_row() {
    let server = club();
    let token = token(&server);
    let created = server.send_json("POST", "/api/letters", &[], r#"{"text":"Hi"}"#);
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.text(), r#"{"count":1}"#);
    for name in ["location", "etag"] {
        assert!(created.headers.get(name).is_none(), "{name}");
    }
    let read = server.send_json("PATCH", "/api/letters/1", &[], "{}");
    assert_eq!(read.status, 204, "{}", read.text());
    assert!(read.headers.get("etag").is_none());
    let read = server.send_json("PATCH", "/api/letters/1", &[&token], "{}");
    assert_eq!(read.json()["text"], "Dear");
    let path = "/api/posts/1?fields=title,author.email";
    let refused = server.send_json("PATCH", path, &[], r#"{"title":"Changed"}"#);
    refused.assert_problem(401, "unauthorized");
    assert_eq!(server.get("/api/posts/1").json()["title"], "Hello");
    let changed = server.send_json("PATCH", path, &[&token], r#"{"title":"Changed"}"#);
    assert_eq!(changed.json()["author"]["email"], "ada@example.com");
}

#[test]
fn the_stream_tells_of_what_its_reader_may_read() {
    let server = club();
    let token = token(&server);
    let url = format!("{}/api/stream", server.base);
    let value = token.split_once(": ").unwrap().1;
    let (_, _, anonymous) = client::open(&url, &[]);
    let (_, _, member) = client::open(&url, &[("Authorization", value)]);
    let (mut anonymous, mut member) = (BufReader::new(anonymous), BufReader::new(member));
    let mail = r#"{"to":"ada@example.com","subject":"Hi","body":""}"#;
    for (path, body) in [
        ("/send-email", mail),
        ("/api/letters", r#"{"text":"Hi"}"#),
        ("/api/posts", r#"{"title":"Hi"}"#),
    ] {
        let answer = server.send_json("POST", path, &[&token], body);
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
    }
    let first = next_event(&mut anonymous);
    assert!(first.2.contains("posts"), "{first:?}");
    let mut told = Vec::new();
    while told
        .last()
        .is_none_or(|data: &String| !data.contains("posts"))
    {
        let (_, _, data) = next_event(&mut member);
        assert!(!data.contains("hidden words"), "{data}");
        told.push(data);
    }
    assert!(told.iter().any(|data| data.contains("letters")), "{told:?}");
    assert!(told.iter().any(|data| data.contains("emails")), "{told:?}");
}

#[test]
fn mails_and_their_jobs_need_the_same_login() {
    let server = club();
    let token = token(&server);
    let mail = r#"{"to":"ada@example.com","subject":"Hi","body":""}"#;
    server
        .send_json("POST", "/send-email", &[], mail)
        .assert_problem(401, "unauthorized");
    let queued = server.send_json("POST", "/send-email", &[&token], mail);
    assert_eq!(queued.status, 202, "{}", queued.text());
    let job = queued.header("location").to_owned();
    server.get(&job).assert_problem(401, "unauthorized");
    assert_eq!(server.get_with(&job, &[&token]).status, 200);
    let followed = job.replacen("/api/jobs/", "/api/stream?job=", 1);
    server.get(&followed).assert_problem(401, "unauthorized");
}

#[test]
fn hidden_columns_are_nowhere() {
    let server = club();
    let token = token(&server);
    for path in ["members", "posts", "letters"] {
        for (path, accept) in [
            (format!("/api/{path}"), "application/json"),
            (format!("/api/{path}/1"), "application/vnd.api+json"),
            (format!("/api/export/{path}"), "application/x-ndjson"),
            (format!("/api/export/{path}"), "text/csv"),
        ] {
            let answer = server.get_with(&path, &[&token, &format!("Accept: {accept}")]);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            for word in ["hidden words", "diary", "draft", "sealed", "argon2", "hash"] {
                assert!(!answer.text().contains(word), "{word} in {path}");
            }
        }
    }
    let document = server.get("/openapi.json").text();
    for name in ["diary", "draft", "sealed", "password_hash"] {
        assert!(!document.contains(name), "{name}");
    }
    for path in [
        "/api/export/members?fields=diary",
        "/api/export/members?diary=x",
        "/api/members?sort=diary",
        "/api/posts?fields=author.diary",
        "/api/export/letters?fields=sealed",
    ] {
        assert_eq!(server.get_with(path, &[&token]).status, 400, "{path}");
    }
    let body = r#"{"sealed":"x"}"#;
    let refused = server.send_json("PATCH", "/api/letters/1", &[&token], body);
    refused.assert_problem(422, "invalid-body");
}

#[test]
fn the_description_says_what_needs_a_token() {
    let server = club();
    let document = server.get("/openapi.json").json();
    let check = |path: &str, method: &str, expected: bool| {
        let operation: &Value = &document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path}");
        assert_eq!(
            operation["security"].is_array(),
            expected,
            "{method} {path}"
        );
        assert_eq!(
            operation["responses"]["401"].is_object(),
            expected,
            "{method} {path}"
        );
    };
    check("/api/members", "get", true);
    check("/api/members/{key}", "get", true);
    check("/api/export/members", "get", true);
    check("/api/letters", "post", false);
    check("/api/letters", "get", true);
    check("/api/posts", "get", false);
    check("/api/posts/{key}", "patch", false);
    check("/api/export/posts", "get", false);
    check("/send-email", "post", true);
    check("/api/jobs/{queue}/{id}", "get", true);
}
