//! Table versions of PostgreSQL over HTTP, and the commands that install them.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use paceline_test_servers::{PgBouncer, Postgres, Release};

use crate::server::{BINARY, Server};

const SCHEMA: &str = "CREATE TABLE post(id int PRIMARY KEY, title text NOT NULL);
    CREATE TABLE other(id int PRIMARY KEY);
    INSERT INTO post SELECT i, 'Post ' || i FROM generate_series(1, 50) AS i; INSERT INTO other VALUES (1);";
const STATEMENTS: &str = "paceline_sql_statements_total";

/// Exit code, standard output and standard error of `paceline migrate`.
fn migrate(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(BINARY)
        .arg("migrate")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let told = (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    );
    assert!(!told.1.contains("a-test") && !told.2.contains("a-test"));
    told
}

#[track_caller]
fn install(url: &str) {
    let (code, out, err) = migrate(&["install-versions", url, "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
}

/// Asks again until the answer is as it should be.
#[track_caller]
fn until(most: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < most, "not within {most:?}");
    }
}

fn writable(url: &str) -> String {
    format!(
        "[database]\nurl = \"{url}\"\n[resources.post]\nwrite = [\"create\", \"update\", \"delete\"]\n\
         anonymous_write = true\n[resources.other]\n"
    )
}

#[test]
fn unchanged_answers_of_a_server_read_no_row() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let url = cluster.url(&name);
    install(&url);
    let server = Server::serve(&writable(&url), tempfile::tempdir().unwrap());
    let paths = ["/api/post?limit=5", "/api/post/7", "/api/other"];
    let tags = paths.map(|path| server.get(path).header("etag").to_owned());
    let before = server.metric(STATEMENTS);
    for _ in 0..10 {
        for (path, tag) in paths.iter().zip(&tags) {
            assert_eq!(server.get(path).status, 200);
            let same = server.get_with(path, &[&format!("If-None-Match: {tag}")]);
            assert_eq!(same.status, 304);
        }
    }
    assert_eq!(server.metric(STATEMENTS), before);
    // Another page needs its rows, and no count.
    server.get("/api/post?limit=5&page=2");
    assert_eq!(server.metric(STATEMENTS), before + 1);

    // A stranger's commit is seen when its notification is here; what it did not touch stays.
    cluster.sql(&name, "DELETE FROM post WHERE id = 7");
    until(Duration::from_secs(5), || {
        server.get("/api/post/7").status == 404
            && server.get("/api/post?limit=5").json()["pagination"]["total"] == 49
    });
    let before = server.metric(STATEMENTS);
    assert_eq!(server.get("/api/other").header("etag"), tags[2]);
    assert_eq!(server.metric(STATEMENTS), before);

    // Who writes through us reads it at once, in rows and in totals.
    for number in 0..20 {
        let title = format!("Title {number}");
        let body = format!("{{\"title\":\"{title}\"}}");
        let changed = server.send_json("PATCH", "/api/post/1", &[], &body);
        assert_eq!(changed.status, 200, "{}", changed.text());
        assert_eq!(server.get("/api/post/1").json()["title"], *title);
        assert_eq!(
            server.get("/api/post?limit=5").json()["data"][0]["title"],
            *title
        );
        let made = format!("{{\"id\":{},\"title\":\"x\"}}", 100 + number);
        assert_eq!(
            server.send_json("POST", "/api/post", &[], &made).status,
            201
        );
        let total = &server.get("/api/post?limit=5").json()["pagination"]["total"];
        assert_eq!(*total, 50 + number);
    }
}

#[test]
fn tags_are_the_same_from_every_process_and_after_a_restart() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let plain = super::serve(&cluster, &name);
    let without = plain.get("/api/post?limit=100").header("etag").to_owned();
    drop(plain);
    install(&cluster.url(&name));
    for _ in 0..2 {
        let server = super::serve(&cluster, &name);
        let tag = format!("If-None-Match: {without}");
        assert_eq!(server.get_with("/api/post?limit=100", &[&tag]).status, 304);
    }
}

#[test]
fn installing_is_shown_agreed_to_and_undone() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let url = cluster.url(&name);
    let before = cluster.dump_schema(&name);
    let (code, script, _) = migrate(&["install-versions", &url, "--tables", "post", "--print"]);
    assert_eq!(code, 0);
    assert!(
        script.contains("ON \"public\".\"post\" ") && !script.contains("\"other\""),
        "{script}"
    );
    let (code, _, err) = migrate(&["install-versions", &url]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("--yes"), "{err}");
    assert_eq!(cluster.dump_schema(&name), before, "nothing is changed yet");
    // What is printed is all there is to do.
    cluster.sql(&name, &script);
    let (code, out, _) = migrate(&["install-versions", &url, "--tables", "post"]);
    assert_eq!(code, 0);
    assert!(out.contains("nothing to do"), "{out}");
    install(&url);
    let (code, out, err) = migrate(&["remove-versions", &url, "-y"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("DROP SCHEMA paceline_versions;"), "{out}");
    assert_eq!(cluster.dump_schema(&name), before);
    for (arguments, code, part) in [
        (
            &["install-versions", &*url, "--tables", "past"][..],
            2,
            "\"past\"",
        ),
        (&["install-versions", "sqlite:a.db"], 2, "SQLite"),
        (&["remove-versions", "postgres://u:a-test@h:x/d"], 2, "port"),
        (
            &["remove-versions", "postgres://u:a-test@127.0.0.1:1/d"],
            1,
            "127.0.0.1:1",
        ),
    ] {
        let (found, _, err) = migrate(arguments);
        assert_eq!(found, code, "{err}");
        assert!(err.contains(part), "{err}");
    }
}

#[test]
fn check_says_whether_versions_are_used() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, SCHEMA);
    let pooler = PgBouncer::start(Release::V1_18, &cluster);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    let check = |url: &str, more: &str| {
        std::fs::write(&file, format!("[database]\nurl = \"{url}\"\n{more}")).unwrap();
        let mut check = Command::new(BINARY);
        check.arg("check").arg("--config").arg(&file);
        let output = check.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (direct, behind) = (cluster.url(&name), pooler.url(&name));
    let told = check(&direct, "");
    assert!(told.contains("table versions: not installed"), "{told}");
    install(&direct);
    assert!(check(&direct, "").contains("\ntable versions: told by triggers"));
    let told = check(&behind, "");
    assert!(
        told.contains("warning: table versions: installed and not used")
            && told.contains("listen_url"),
        "{told}"
    );
    let told = check(&behind, &format!("listen_url = \"{direct}\"\n"));
    assert!(
        told.contains("\ntable versions: told by triggers"),
        "{told}"
    );
    // Without versions answers are what they were without them.
    let server = Server::serve_url(&behind);
    let tag = server.get("/api/post").header("etag").to_owned();
    cluster.sql(&name, "UPDATE post SET title = 'New' WHERE id = 1");
    let tag = format!("If-None-Match: {tag}");
    let changed = server.get_with("/api/post", &[&tag]);
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["data"][0]["title"], "New");
}
