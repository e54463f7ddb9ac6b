//! What only a server has: a configuration that names it, roles, being down, being full.

use std::process::Command;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use paceline_test_servers::Postgres;

use crate::server::{BINARY, Server};

const SCHEMA: &str = "CREATE TABLE post(id int PRIMARY KEY, title text NOT NULL, big bigint);
    INSERT INTO post SELECT i, 'Post ' || i, 9007199254740993 FROM generate_series(1, 3) AS i;
    CREATE VIEW endless AS SELECT repeat('x', 1000) || generate_series(1, 100000000) AS x;";

#[test]
fn a_configuration_names_the_server() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let folder = tempfile::tempdir().unwrap();
    let config = "[database]\nurl = \"${DATABASE}\"\nquery_timeout = \"2s\"\n[export]\nmax_concurrent = 1\n\
         [resources.articles]\ntable = \"post\"\nfields = [\"id\", \"title\"]\n[resources.endless]\n";
    let file = folder.path().join("paceline.toml");
    let check = |config: &str, url: &str| {
        std::fs::write(&file, config).unwrap();
        let mut check = Command::new(BINARY);
        check.arg("check").arg("--config").arg(&file);
        check.env("DATABASE", url).env_remove("PACELINE_SECRET");
        let output = check.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let url = cluster.url(&name);
    let (code, told) = check(config, &url);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("/api/articles: id, title"), "{told}");
    assert!(!told.contains("password"), "{told}");

    let (code, told) = check(&config.replace("post", "past"), &url);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("\"past\"") && told.contains("post"), "{told}");
    let (code, told) = check(config, "postgres://u:secret@127.0.0.1:0/x");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("port") && !told.contains("secret"), "{told}");
    let (code, told) = check(config, "postgres://u:secret@127.0.0.1:1/x");
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("127.0.0.1:1") && !told.contains("secret"),
        "{told}"
    );

    let server = Server::serve(&config.replace("${DATABASE}", &url), folder);
    let page = server.get("/api/articles?sort=-id&limit=1").json();
    assert_eq!(page["data"][0]["title"], "Post 3");
    assert_eq!(page["pagination"]["total"], 3);
    let refused = server.send_json("POST", "/api/articles", &[], "{}");
    refused.assert_problem(405, "method-not-allowed");
    // One export may run: the next is told when to come back.
    let (status, _, export) =
        crate::client::open(&format!("{}/api/export/endless", server.base), &[]);
    assert_eq!(status, 200);
    let full = server.get("/api/export/articles");
    assert_eq!(full.status, 503, "{}", full.text());
    assert_eq!(full.header("retry-after"), "1");
    drop(export);
}

#[test]
fn rows_are_tagged_by_their_bytes_and_totals_are_a_second_old_at_most() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let server = super::serve(&cluster, &name);
    let row = server.get("/api/post/1");
    assert_eq!(
        row.text(),
        r#"{"id":1,"title":"Post 1","big":9007199254740993}"#
    );
    let tag = format!("If-None-Match: {}", row.header("etag"));
    assert_eq!(server.get_with("/api/post/1", &[&tag]).status, 304);
    cluster.sql(&name, "UPDATE post SET title = 'Changed' WHERE id = 1");
    let changed = server.get_with("/api/post/1", &[&tag]);
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["title"], "Changed");
    server
        .get("/api/post?title=a%00")
        .assert_problem(400, "invalid-value");
    server
        .get("/api/post/1%00")
        .assert_problem(404, "not-found");

    let total =
        |server: &Server| server.get("/api/post?limit=1").json()["pagination"]["total"].clone();
    assert_eq!(total(&server), 3);
    cluster.sql(&name, "INSERT INTO post VALUES (4, 'x', NULL)");
    let began = std::time::Instant::now();
    while total(&server) != 4 {
        assert!(
            began.elapsed() < std::time::Duration::from_secs(5),
            "the count stays"
        );
    }
}

#[test]
fn rows_are_written_with_their_preconditions_and_the_writer_is_told_no_older_count() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let config = format!(
        "[database]\nurl = \"{}\"\n[resources.post]\nwrite = [\"create\", \"update\", \"delete\"]\nanonymous_write = true\n",
        cluster.url(&name)
    );
    let server = Server::serve(&config, tempfile::tempdir().unwrap());
    let total = || server.get("/api/post?limit=1").json()["pagination"]["total"].clone();
    assert_eq!(total(), 3);
    let made = server.send_json("POST", "/api/post", &[], r#"{"id":4,"title":"New"}"#);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.header("location"), "/api/post/4");
    assert_eq!(total(), 4);
    let row = server.get_with("/api/post/4", &["Accept-Encoding: gzip"]);
    let tag = format!("If-Match: {}", row.header("etag"));
    let patch =
        |headers: &[&str], body: &str| server.send_json("PATCH", "/api/post/4", headers, body);
    let other = server.send_json("PATCH", "/api/post/1", &[], r#"{"title":"Other"}"#);
    assert_eq!(other.status, 200, "another row's change does not matter");
    let changed = patch(&[&tag], r#"{"title":"Newer"}"#);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        changed.header("etag"),
        server.get("/api/post/4").header("etag")
    );
    patch(&[&tag], r#"{"title":"Newest"}"#).assert_problem(412, "precondition-failed");
    assert_eq!(server.get("/api/post/4").json()["title"], "Newer");
    let taken = server.send_json("POST", "/api/post", &[], r#"{"id":4,"title":"x"}"#);
    let problem = taken.assert_problem(409, "conflict");
    assert_eq!(problem["errors"][0]["pointer"], "/id", "{problem}");
    let gone = server.send("DELETE", "/api/post/4", &[], None);
    assert_eq!(gone.status, 204, "{}", gone.text());
    server.get("/api/post/4").assert_problem(404, "not-found");
}

#[test]
fn a_role_without_rights_is_told_to_its_operator() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    cluster.sql(
        &name,
        &format!("CREATE ROLE poor_{name} LOGIN PASSWORD 'of-the-role'"),
    );
    let url = format!(
        "postgres://poor_{name}:of-the-role@127.0.0.1:{}/{name}",
        cluster.port()
    );
    let server = Server::serve_url(&url);
    server.get("/api/post").assert_problem(404, "not-found");
    server.terminate();
    let (_, told) = server.wait();
    assert!(
        told.contains("nothing is served") && told.contains("GRANT SELECT"),
        "{told}"
    );

    cluster.sql(&name, &format!("GRANT SELECT ON post TO poor_{name}"));
    let config = format!(
        "[database]\nurl = \"{url}\"\n[resources.post]\nwrite = [\"create\"]\nanonymous_write = true\n"
    );
    let server = Server::serve(&config, tempfile::tempdir().unwrap());
    let refused = server.send_json("POST", "/api/post", &[], r#"{"id":9,"title":"x"}"#);
    // No rule refused the row: nothing the client sends makes it better.
    refused.assert_problem(500, "internal-error");
}

#[test]
fn users_of_the_server_log_in() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    let hash = Argon2::default()
        .hash_password(b"correct horse")
        .unwrap()
        .to_string();
    cluster.sql(
        &name,
        &format!(
            "CREATE TABLE members(id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE, password_hash text);
             INSERT INTO members(email, password_hash) VALUES ('ada@example.com', '{hash}'), ('bob@example.com', NULL)"
        ),
    );
    let config = format!(
        "[database]\nurl = \"{}\"\n[login]\ntable = \"members\"\n[resources.members]\nanonymous_read = false\n",
        cluster.url(&name)
    );
    let server = Server::serve(&config, tempfile::tempdir().unwrap());
    server
        .get("/api/members")
        .assert_problem(401, "unauthorized");
    let login = |email: &str| {
        let body = format!("{{\"email\":\"{email}\",\"password\":\"correct horse\"}}");
        server.send_json("POST", "/api/auth/login", &[], &body)
    };
    for nobody in ["bob@example.com", "' OR 1=1 --", "a\\u0000"] {
        let refused = login(nobody);
        assert_ne!(refused.status, 200, "{nobody}: {}", refused.text());
        assert_ne!(refused.status, 500, "{nobody}: {}", refused.text());
    }
    let granted = login("ada@example.com");
    assert_eq!(granted.status, 200, "{}", granted.text());
    let token = granted.json()["token"].as_str().unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    let members = server.get_with("/api/members?sort=email", &[&bearer]);
    assert_eq!(members.json()["data"][0]["email"], "ada@example.com");
    assert!(!members.text().contains("argon2"));
}

#[test]
fn a_server_that_is_down_is_a_503_until_it_is_back() {
    let cluster = Postgres::start();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let server = super::serve(&cluster, &name);
    assert_eq!(server.get("/api/post/1").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
    cluster.kill();
    let down = server.get("/api/post/1");
    assert_eq!(down.status, 503, "{}", down.text());
    assert!(down.headers.contains_key("retry-after"));
    assert_eq!(server.get("/health/ready").status, 503);
    assert_eq!(server.get("/health/live").status, 200);
    assert!(cluster.run());
    let began = std::time::Instant::now();
    while server.get("/api/post/1").status != 200 {
        assert!(
            began.elapsed() < std::time::Duration::from_secs(10),
            "it stays down"
        );
    }
}
