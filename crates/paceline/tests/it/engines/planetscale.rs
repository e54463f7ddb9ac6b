//! What only PlanetScale over HTTP has: its address in a configuration, writes as transactions, exports by pages, its
//! limits, faults.

use std::process::Command;
use std::time::{Duration, Instant};

use paceline_test_servers::{Fault, MariaDb, PlanetScale, PlanetScaleOptions};

use crate::server::{BINARY, Server};

const SCHEMA: &str =
    "CREATE TABLE post(id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(100) NOT NULL,
        slug VARCHAR(100) UNIQUE, big BIGINT UNSIGNED, parent_id INT, at TIMESTAMP NULL,
        CONSTRAINT parent FOREIGN KEY (parent_id) REFERENCES post(id));
    INSERT INTO post (title, big) SELECT CONCAT('Post ', seq), 18446744073709551615 FROM seq_1_to_3;
    CREATE TABLE pair(a INT, b VARCHAR(20), n INT, PRIMARY KEY (a, b));
    INSERT INTO pair SELECT seq DIV 7, CONCAT('k', LPAD(seq, 5, '0')), seq FROM seq_1_to_3000;
    CREATE VIEW many AS SELECT seq AS n FROM seq_1_to_100001;
    CREATE VIEW slow AS SELECT SLEEP(59) AS x;";

/// It says that it is MySQL, as the vendor does, so that MySQL's SQL is spoken to it.
fn double() -> PlanetScale {
    let options = PlanetScaleOptions {
        version: Some("8.0.40-Vitess".to_owned()),
        ..PlanetScaleOptions::default()
    };
    let double = PlanetScale::start_with(&MariaDb::shared(), options);
    double.sql(SCHEMA);
    double
}

fn serve(double: &PlanetScale, more: &str) -> Server {
    let config = format!("[database]\nurl = \"{}\"\n{more}", double.address());
    Server::serve(&config, tempfile::tempdir().unwrap())
}

#[test]
fn a_configuration_names_it_and_what_is_wrong_shows_no_password() {
    let double = double();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    let check = |url: &str, more: &str| {
        std::fs::write(&file, format!("[database]\nurl = \"{url}\"\n{more}")).unwrap();
        let mut check = Command::new(BINARY);
        check.arg("check").arg("--config").arg(&file);
        let output = check.env_remove("PACELINE_SECRET").output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for secret in ["hunter2", PlanetScale::PASSWORD] {
            assert!(!text.contains(secret), "{text}");
        }
        (output.status.code(), text)
    };
    let (code, told) = check(
        &double.address(),
        "[resources.post]\nfields = [\"id\", \"title\"]\n",
    );
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("/api/post: id, title"), "{told}");
    let (code, told) = check("planetscale://u@h/d", "");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("password"), "{told}");
    let wrong = double.address().replace(PlanetScale::PASSWORD, "hunter2");
    let (code, told) = check(&wrong, "");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("make a new password"), "{told}");
    let other = format!("{}x", double.address());
    let (code, told) = check(&other, "");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("belongs to the database"), "{told}");
    let (code, told) = check(&double.address(), "[pool]\nsize = 3\n");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("[pool]"), "{told}");
}

#[test]
fn rows_are_read_with_all_their_digits() {
    let double = double();
    let server = Server::serve_url(&double.address());
    assert_eq!(
        server.get("/api/post/1?fields=id,title,big").text(),
        r#"{"id":1,"title":"Post 1","big":18446744073709551615}"#
    );
    let page = server.get("/api/post?sort=-id&limit=1").json();
    assert_eq!(page["data"][0]["id"], 3);
    assert_eq!(page["pagination"]["total"], 3);
    for evil in [
        "a%27%20OR%201%3D1%20--%20",
        "%5C%27%20OR%201%3D1%20--%20",
        "%00",
    ] {
        let answer = server.get(&format!("/api/post?slug={evil}"));
        let found = answer.json()["data"].as_array().map_or(0, Vec::len);
        assert_eq!(found, 0, "{evil}: {}", answer.text());
    }
}

#[test]
fn writes_are_transactions_with_their_preconditions_and_constraints() {
    let double = double();
    let server = serve(
        &double,
        "[resources.post]\nwrite = [\"create\", \"update\", \"replace\", \"delete\"]\nanonymous_write = true\n",
    );
    let made = server.send_json("POST", "/api/post", &[], r#"{"title":"New","slug":"new"}"#);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.header("location"), "/api/post/4");
    let row = server.get_with("/api/post/4", &["Accept-Encoding: gzip"]);
    let tag = format!("If-Match: {}", row.header("etag"));
    let patch =
        |headers: &[&str], body: &str| server.send_json("PATCH", "/api/post/4", headers, body);
    let changed = patch(&[&tag], r#"{"title":"O'Hara \\ \" 🐎"}"#);
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["title"], "O'Hara \\ \" 🐎");
    patch(&[&tag], r#"{"title":"Newest"}"#).assert_problem(412, "precondition-failed");
    assert_eq!(server.get("/api/post/4").json()["title"], "O'Hara \\ \" 🐎");

    let taken = server.send_json("POST", "/api/post", &[], r#"{"title":"x","slug":"new"}"#);
    let problem = taken.assert_problem(409, "conflict");
    assert_eq!(problem["errors"][0]["pointer"], "/slug", "{problem}");
    let orphan = patch(&[], r#"{"parent_id":77}"#);
    assert!(
        [409, 422].contains(&orphan.status.as_u16()),
        "{}",
        orphan.text()
    );
    let put = server.send_json(
        "PUT",
        "/api/post/9",
        &[],
        r#"{"title":"Put","slug":null,"big":1,"parent_id":null,"at":"2026-01-31T10:00:00Z"}"#,
    );
    assert_eq!(put.status, 201, "{}", put.text());
    let gone = server.send("DELETE", "/api/post/4", &[], None);
    assert_eq!(gone.status, 204, "{}", gone.text());
    server.get("/api/post/4").assert_problem(404, "not-found");
    assert_eq!(double.open_transactions(), 0, "each was ended");
    let asked = double.asked();
    let count = |query: &str| asked.iter().filter(|asked| asked.query == query).count();
    assert_eq!(count("BEGIN"), count("COMMIT") + count("ROLLBACK"));
    assert!(count("ROLLBACK") >= 2, "what was refused was undone");
}

#[test]
fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let double = double();
    let server = serve(
        &double,
        "[resources.post]\nwrite = [\"create\"]\nanonymous_write = true\n",
    );
    let create = || server.send_json("POST", "/api/post", &[], r#"{"title":"Once"}"#);
    assert_eq!(create().status, 201);
    // BEGIN is the next request: nothing is there to be done twice.
    double.fault(Fault::LostAfter);
    let lost = create();
    assert!(lost.status.is_server_error(), "{}", lost.text());
    assert_eq!(
        double.sql("SELECT count(*) FROM post WHERE title = 'Once'"),
        "1"
    );
}

#[test]
fn exports_go_page_by_page_from_key_to_key() {
    let double = double();
    let server = Server::serve_url(&double.address());
    let export = server.get_with(
        "/api/export/pair?fields=n",
        &["Accept: application/x-ndjson"],
    );
    let lines: Vec<String> = export.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3000);
    assert_eq!(lines[0], r#"{"n":1}"#);
    assert_eq!(lines[2999], r#"{"n":3000}"#);
    let pages = double.asked().into_iter();
    let pages = pages
        .filter(|asked| asked.query.contains("FROM `pair`") && asked.query.contains(" LIMIT "));
    assert!(pages.count() >= 3, "it was read in pages");
    let filtered = server.get_with(
        "/api/export/pair?fields=n&a[gte]=100",
        &["Accept: application/x-ndjson"],
    );
    assert_eq!(filtered.text().lines().count(), 2301);
    // A view without a key is one answer, and the vendor gives 100,000 rows.
    server
        .get("/api/export/many")
        .assert_problem(400, "answer-too-large");
}

#[test]
fn who_leaves_stops_the_statement() {
    use std::io::Write as _;
    let double = double();
    let server = Server::serve_url(&double.address());
    let address = server.base.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET /api/slow HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let until = |running: &str| {
        let sql = format!(
            "SELECT count(*) FROM information_schema.PROCESSLIST WHERE DB = '{}' AND INFO LIKE 'SELECT%`slow`%' AND INFO NOT LIKE '%PROCESSLIST%'",
            double.database()
        );
        let began = Instant::now();
        while double.sql(&sql) != running {
            assert!(began.elapsed() < Duration::from_secs(15), "not {running}");
        }
    };
    until("1");
    drop(stream);
    until("0");
}

#[test]
fn faults_of_the_vendor_are_503_and_reads_survive_a_lost_connection() {
    let double = double();
    let server = Server::serve_url(&double.address());
    assert_eq!(server.get("/api/post/1").status, 200);
    double.fault(Fault::LostBefore);
    assert_eq!(server.get("/api/post/2").status, 200, "it is asked again");
    for status in [429, 500, 503] {
        double.fault(Fault::Status(status, "{}".to_owned()));
        let down = server.get("/api/post/1");
        assert_eq!(down.status, 503, "{status}: {}", down.text());
        assert!(down.headers.contains_key("retry-after"));
    }
    double.fault(Fault::Status(500, "{}".to_owned()));
    assert_eq!(server.get("/health/ready").status, 503);
    assert_eq!(server.get("/health/ready").status, 200);
}

#[test]
fn the_doctor_says_what_it_is_and_shows_no_password() {
    let double = double();
    let doctor = |arguments: &[&str]| {
        let mut doctor = Command::new(BINARY);
        let output = doctor
            .args(["pool", "doctor"])
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!text.contains(PlanetScale::PASSWORD), "{text}");
        (output.status.code(), text)
    };
    let (code, told) = doctor(&[&double.address()]);
    assert_eq!(code, Some(0), "{told}");
    for part in ["PlanetScale's MySQL over HTTP", "sessions live on", "ms"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (code, told) = doctor(&[&double.address(), "--json"]);
    assert_eq!(code, Some(0), "{told}");
    let report: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(report["kind"], "planetscale-http");
    assert_eq!(report["database"], double.database());
    assert_eq!(report["sessions"], true);
    assert!(report["round_trip_ms"].as_f64().unwrap() > 0.0);
    let (code, told) = doctor(&["planetscale://u@h"]);
    assert_eq!(code, Some(2), "{told}");
}

#[test]
fn a_database_that_cuts_values_off_is_not_written() {
    let options = PlanetScaleOptions {
        setup: vec!["SET SESSION sql_mode = ''".to_owned()],
        ..PlanetScaleOptions::default()
    };
    let double = PlanetScale::start_with(&MariaDb::shared(), options);
    double.sql("CREATE TABLE post(id INT PRIMARY KEY)");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    let config = format!(
        "[database]\nurl = \"{}\"\n[resources.post]\nwrite = [\"create\"]\nanonymous_write = true\n",
        double.address()
    );
    std::fs::write(&file, config).unwrap();
    let mut check = Command::new(BINARY);
    let output = check
        .arg("check")
        .arg("--config")
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("STRICT_TRANS_TABLES"), "{told}");
}
