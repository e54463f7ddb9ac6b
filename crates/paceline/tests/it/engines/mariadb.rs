//! What only a server has, on `MariaDB`: a configuration that names it, writes, logins, clients that leave, being down.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use paceline_test_servers::MariaDb;

use crate::server::{BINARY, Server};

const SCHEMA: &str =
    "CREATE TABLE post(id int PRIMARY KEY, title varchar(40) NOT NULL UNIQUE, big bigint);
    INSERT INTO post SELECT seq, concat('Post ', seq), 9007199254740993 FROM seq_1_to_3;
    CREATE VIEW slow AS SELECT sleep(60) AS x;
    CREATE VIEW endless AS SELECT concat(repeat('x', 1000), seq) AS x FROM seq_1_to_100000000;";

#[test]
fn a_configuration_names_the_server() {
    let mariadb = MariaDb::shared();
    let name = mariadb.database();
    mariadb.sql(&name, SCHEMA);
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
    let url = mariadb.url(&name);
    let (code, told) = check(config, &url);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("/api/articles: id, title"), "{told}");
    assert!(!told.contains("password"), "{told}");

    let (code, told) = check(&config.replace("post", "past"), &url);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("\"past\"") && told.contains("post"), "{told}");
    let (code, told) = check(config, "mysql://u:secret@127.0.0.1:0/x");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("port") && !told.contains("secret"), "{told}");
    let (code, told) = check(config, "mysql://u:secret@127.0.0.1:1/x");
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
    let mariadb = MariaDb::shared();
    let name = mariadb.database();
    mariadb.sql(&name, SCHEMA);
    let server = Server::serve_url(&mariadb.url(&name));
    let row = server.get("/api/post/1");
    assert_eq!(
        row.text(),
        r#"{"id":1,"title":"Post 1","big":9007199254740993}"#
    );
    let tag = format!("If-None-Match: {}", row.header("etag"));
    assert_eq!(server.get_with("/api/post/1", &[&tag]).status, 304);
    mariadb.sql(&name, "UPDATE post SET title = 'Changed' WHERE id = 1");
    let changed = server.get_with("/api/post/1", &[&tag]);
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["title"], "Changed");
    let zero = server.get("/api/post?title=a%00");
    assert_eq!(zero.json()["pagination"]["total"], 0, "no row has it");
    server
        .get("/api/post/1%00")
        .assert_problem(404, "not-found");

    let total =
        |server: &Server| server.get("/api/post?limit=1").json()["pagination"]["total"].clone();
    assert_eq!(total(&server), 3);
    mariadb.sql(&name, "INSERT INTO post VALUES (4, 'x', NULL)");
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
    let mariadb = MariaDb::shared();
    let name = mariadb.database();
    mariadb.sql(&name, SCHEMA);
    let config = format!(
        "[database]\nurl = \"{}\"\n[resources.post]\nwrite = [\"create\", \"update\", \"delete\"]\nanonymous_write = true\n",
        mariadb.url(&name)
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
fn users_of_the_server_log_in() {
    let mariadb = MariaDb::shared();
    let name = mariadb.database();
    let hash = Argon2::default()
        .hash_password(b"correct horse")
        .unwrap()
        .to_string();
    mariadb.sql(
        &name,
        &format!(
            "CREATE TABLE members(id uuid PRIMARY KEY DEFAULT uuid(), email varchar(200) NOT NULL UNIQUE, password_hash text);
             INSERT INTO members(email, password_hash) VALUES ('ada@example.com', '{hash}'), ('bob@example.com', NULL)"
        ),
    );
    let config = format!(
        "[database]\nurl = \"{}\"\n[login]\ntable = \"members\"\n[resources.members]\nanonymous_read = false\n",
        mariadb.url(&name)
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
    let mariadb = MariaDb::start();
    let name = mariadb.database();
    mariadb.sql(&name, SCHEMA);
    let server = Server::serve_url(&mariadb.url(&name));
    assert_eq!(server.get("/api/post/1").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
    mariadb.kill();
    let down = server.get("/api/post/1");
    assert_eq!(down.status, 503, "{}", down.text());
    assert!(down.headers.contains_key("retry-after"));
    assert_eq!(server.get("/health/ready").status, 503);
    assert_eq!(server.get("/health/live").status, 200);
    assert!(mariadb.run());
    let began = std::time::Instant::now();
    while server.get("/api/post/1").status != 200 {
        assert!(
            began.elapsed() < std::time::Duration::from_secs(10),
            "it stays down"
        );
    }
}

/// Sends a request and leaves the answer unread.
fn ask(server: &Server, path: &str) -> TcpStream {
    let address = server.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Waits until so many statements over `view` run.
#[track_caller]
fn until_running(mariadb: &Arc<MariaDb>, name: &str, view: &str, count: &str, most: Duration) {
    let count_them = format!(
        "SELECT count(*) FROM information_schema.PROCESSLIST WHERE COMMAND <> 'Sleep' AND INFO LIKE '%`{view}`%'
         AND DB = '{name}' AND ID <> CONNECTION_ID()"
    );
    let began = Instant::now();
    loop {
        let running = mariadb.sql("mysql", &count_them);
        if running == count {
            return;
        }
        assert!(
            began.elapsed() < most,
            "{running} of {view} run, not {count}"
        );
    }
}

#[test]
fn trap_18_the_query_of_a_client_who_left_is_gone_within_a_second() {
    let mariadb = MariaDb::shared();
    let name = mariadb.database();
    mariadb.sql(&name, SCHEMA);
    let server = Server::serve_url(&mariadb.url(&name));
    let until = |view: &str, count: &str| {
        let most = if count == "0" { 1 } else { 10 };
        until_running(&mariadb, &name, view, count, Duration::from_secs(most));
    };
    // Before the first row, of a page and of an export.
    for path in ["/api/slow?count=none", "/api/export/slow"] {
        let client = ask(&server, path);
        until("slow", "1");
        drop(client);
        until("slow", "0");
    }
    // In the middle of the body, and a client that reads nothing.
    for bytes in [100_000, 0] {
        let mut client = ask(&server, "/api/export/endless");
        client.read_exact(&mut vec![0; bytes]).unwrap();
        until("endless", "1");
        drop(client);
        until("endless", "0");
    }
    for _ in 0..20 {
        let row = server.get("/api/post/1");
        assert_eq!(row.status, 200, "no later query is stopped");
    }
}
