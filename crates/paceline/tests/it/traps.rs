//! Traps of HTTP that only a whole service can fall into; `docs/traps.md` lists where each of the twenty is tested.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::Answer;
use crate::server::{Server, shared_demo};

/// A database of one table, whose `y` cannot be read where `x` is the smallest integer, and whose `slow` takes a
/// while.
fn numbers(broken: u32, extra: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("numbers.db")).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE number (id INTEGER PRIMARY KEY, x INTEGER NOT NULL, text TEXT NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO number(id, x, text)
                 SELECT i, iif(i = {broken}, -9223372036854775808, i), printf('%0100d', i) FROM n;
             ALTER TABLE number ADD COLUMN y INTEGER AS (abs(x)) VIRTUAL;
             ALTER TABLE number ADD COLUMN slow INTEGER
                 AS (length(replace(printf('%0*d', 1000000, x), '0', '11'))) VIRTUAL;"
        ))
        .unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
         [database]\nurl = \"sqlite:numbers.db\"\nread_connections = 1\nquery_timeout = \"60s\"\n\
         [resources.number]\nunindexed = true\ndefault_fields = [\"id\", \"x\", \"text\"]\n{extra}"
    );
    Server::serve(&config, folder)
}

#[test]
fn trap_03_a_limit_comes_before_preconditions_and_errors_have_none() {
    let server = numbers(
        0,
        "[[limits]]\nname = \"a\"\npath = \"/api/\"\nmax = 4\nwindow = \"1h\"\n",
    );
    let conditions = ["If-Match: \"other\"", "If-None-Match: *"];
    let ask = |path: &str| {
        conditions.map(|condition| server.get_with(path, &[condition]).status.as_u16())
    };
    assert_eq!(ask("/api/number/1"), [412, 304]);
    assert_eq!(ask("/api/number/999999"), [404, 404]);
    assert_eq!(ask("/api/number/1"), [429, 429]);
}

#[test]
fn trap_07_vary_is_on_each_answer_that_was_chosen() {
    let server = shared_demo();
    let varies = |answer: &Answer, on: &[&str]| {
        let lines = answer.headers.get_all("vary").iter();
        let lines: Vec<&str> = lines.map(|line| line.to_str().unwrap()).collect();
        let vary = lines.join(",").to_ascii_lowercase();
        let names: Vec<&str> = vary.split(',').map(str::trim).collect();
        for name in on {
            let times = names.iter().filter(|known| *known == name).count();
            assert_eq!(times, 1, "{name} in {vary} of {}", answer.status);
        }
    };
    let both = ["accept", "accept-encoding"];
    for path in ["/api/posts?limit=50", "/api/products/1"] {
        let plain = server.get_with(path, &["Accept-Encoding: identity"]);
        varies(&plain, &both);
        varies(&server.get_with(path, &["Accept-Encoding: gzip"]), &both);
        let tag = format!("If-None-Match: {}", plain.header("etag"));
        let current = server.get_with(path, &[&tag]);
        assert_eq!(current.status, 304);
        varies(&current, &both);
        let refused = server.get_with(path, &["Accept: image/png"]);
        refused.assert_problem(406, "not-acceptable");
        varies(&refused, &["accept"]);
    }
    let refused = server.get_with("/api/export/users", &["Accept: image/png"]);
    refused.assert_problem(406, "not-acceptable");
    varies(&refused, &["accept"]);
}

/// Replicas share the key of their configuration; the cursor is bound to the list, not to the process.
#[test]
fn trap_14_a_second_replica_accepts_the_cursor_and_one_with_another_key_does_not() {
    let replica = |digit: &str| numbers(0, &format!("[secrets]\nkey = \"{}\"\n", digit.repeat(64)));
    let (first, second, stranger) = (replica("a"), replica("a"), replica("b"));
    let page = first.get("/api/number?limit=10&sort=-x").json();
    let cursor = page["pagination"]["next"].as_str().unwrap();
    let path = |cursor: &str| format!("/api/number?limit=10&sort=-x&cursor={cursor}");
    let next = second.get(&path(cursor));
    assert_eq!(next.status, 200, "{}", next.text());
    assert_eq!(next.json()["data"], first.get(&path(cursor)).json()["data"]);
    stranger
        .get(&path(cursor))
        .assert_problem(400, "invalid-cursor");
    for changed in [
        cursor[..cursor.len() - 1].to_owned(),
        cursor[..cursor.len() / 2].to_owned(),
        format!("{cursor}A"),
        format!("{cursor}%3D"),
        cursor.to_ascii_uppercase(),
        String::new(),
    ] {
        let refused = second.get(&path(&changed));
        let problem = refused.assert_problem(400, "invalid-cursor");
        assert_eq!(problem["parameter"], "cursor", "{changed}");
    }
}

#[test]
fn trap_15_links_keep_filters_encoded_once_whoever_asks() {
    let server = numbers(0, "");
    let query = "text[like]=%250%25&x[gte]=10&limit=50&fields=id,x&sort=-x";
    let mut target = format!("/api/number?{query}");
    let (mut pages, mut last) = (0, i64::MAX);
    while pages < 5 {
        // What a proxy says of the outside changes nothing: targets have no host.
        let outside = [
            "X-Forwarded-Host: evil.example",
            "Forwarded: host=evil.example",
        ];
        let page = server.get_with(&target, &outside);
        assert_eq!(page.status, 200, "{target}: {}", page.text());
        for row in page.json()["data"].as_array().unwrap() {
            let x = row["x"].as_i64().unwrap();
            assert!(x < last, "{x} after {last}");
            last = x;
        }
        let link = page.header("link");
        for target in link.split(", <").map(|link| link.trim_start_matches('<')) {
            let (target, _) = target.split_once(">; rel=").unwrap();
            assert!(target.starts_with("/api/number?"), "{target}");
            for kept in ["=%250%25", "=10", "limit=50", "fields=id,x", "sort=-x"] {
                assert_eq!(target.matches(kept).count(), 1, "{kept} in {target}");
            }
            assert!(target.matches("cursor=").count() + target.matches("page=").count() <= 1);
        }
        let next = link.split(", ").find(|link| link.ends_with("rel=\"next\""));
        let next = next.and_then(|link| link.strip_prefix('<')?.split_once('>'));
        target = next.unwrap().0.to_owned();
        pages += 1;
    }
    assert_eq!(last, 20_000 - 5 * 50 + 1);
}

/// A proxy that serves `/shop/...` and asks us without `/shop`.
#[test]
fn trap_15_addresses_begin_with_what_a_proxy_cuts_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let schema = "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item(name) VALUES ('a'), ('b');";
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(schema)
        .unwrap();
    let config = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\npublic_path = \"/shop\"\n\
         [database]\nurl = \"sqlite:a.db\"\n\
         [resources.item]\nwrite = [\"create\"]\nanonymous_write = true\n";
    let server = Server::serve(config, folder);
    let page = server.get("/api/item?limit=1");
    assert!(
        page.header("link")
            .starts_with("</shop/api/item?limit=1&page=1>")
    );
    assert_eq!(page.header("link").matches("</shop/api/item?").count(), 3);
    let document = server
        .get_with(
            "/api/item?page[size]=1",
            &["Accept: application/vnd.api+json"],
        )
        .json();
    assert_eq!(document["links"]["self"], "/shop/api/item?page[size]=1");
    assert!(
        document["links"]["next"]
            .as_str()
            .unwrap()
            .starts_with("/shop/api/item?")
    );
    let created = server.send_json("POST", "/api/item", &[], r#"{"name":"c"}"#);
    assert_eq!(created.header("location"), "/shop/api/item/3");
    assert_eq!(
        server.get("/openapi.json").json()["servers"][0]["url"],
        "/shop"
    );
}

#[test]
fn trap_15_a_link_that_would_be_too_long_is_left_out_and_the_body_leads_on() {
    let server = numbers(0, "");
    let list = format!(
        "/api/number?text[ne]={}&fields=id&limit=5",
        "x".repeat(3_000)
    );
    let page = server.get(&list);
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.headers.get("link"), None);
    let page = page.json();
    let cursor = page["pagination"]["next"].as_str().unwrap();
    let next = server.get(&format!("{list}&cursor={cursor}"));
    assert_eq!(next.json()["data"][0]["id"], 6);
}

/// All that a connection is sent for one request, and whether HTTP says that it is whole.
fn raw(server: &Server, path: &str, accept: &str) -> (String, bool) {
    let mut stream = TcpStream::connect(server.base.strip_prefix("http://").unwrap()).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // The server may end the connection in one way or the other.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let is_whole = text.ends_with("\r\n0\r\n\r\n");
    (text, is_whole)
}

#[test]
fn trap_17_a_row_that_cannot_be_read_is_an_error_first_and_a_broken_transfer_later() {
    let formats = ["application/json", "application/x-ndjson", "text/csv"];
    let first = numbers(1, "");
    for accept in formats {
        let path = "/api/export/number?fields=id,text,y";
        let answer = first.get_with(path, &[&format!("Accept: {accept}")]);
        assert!(
            answer.status.is_server_error(),
            "{accept}: {}",
            answer.status
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.text().contains("overflow"), "{}", answer.text());
    }
    assert!(
        first
            .get("/api/number?fields=id,y")
            .status
            .is_server_error()
    );
    let later = numbers(15_000, "");
    for accept in formats {
        let (whole, is_whole) = raw(&later, "/api/export/number?fields=id,text", accept);
        assert!(is_whole && whole.len() > 20_000 * 100, "{accept}");
        let (broken, is_whole) = raw(&later, "/api/export/number?fields=id,text,y", accept);
        assert!(broken.starts_with("HTTP/1.1 200 OK\r\n"), "{broken:.100}");
        assert!(broken.len() > 10_000 * 100, "rows before the error arrive");
        assert!(!is_whole, "{accept} looks whole");
        assert!(!broken.ends_with("]\r\n"), "{accept} is closed");
    }
    assert_eq!(later.get("/api/number/1?fields=y").status, 200);
}

/// With one reader, a query that nobody waits for any more would hold up all others.
#[test]
fn trap_18_a_client_that_leaves_takes_its_running_and_its_queued_query_with_it() {
    let server = numbers(0, "");
    let address = server.base.strip_prefix("http://").unwrap();
    // Minutes of work: 20,000 rows of several milliseconds.
    let slow = "GET /api/number?slow=1&fields=id HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let begun = server.metric("paceline_sql_statements_total");
    let leaving: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(slow.as_bytes()).unwrap();
            stream
        })
        .collect();
    while server.metric("paceline_sql_statements_total") == begun {
        std::thread::yield_now();
    }
    let start = Instant::now();
    drop(leaving);
    let answer = server.get("/api/number/7?fields=id");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
