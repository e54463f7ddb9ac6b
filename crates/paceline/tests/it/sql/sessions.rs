//! What one request leaves in a session must not reach the next one. There is one connection, so that it would.

use std::time::{Duration, Instant};

use super::{Sql, one};

/// Each leaves something behind, and asks for it.
const TRACES: [(&str, &str); 8] = [
    (
        "SET app.tenant = 'a'",
        "SELECT coalesce(nullif(current_setting('app.tenant', true), ''), 'none') = 'none'",
    ),
    (
        "SELECT set_config('app.tenant', 'a', false), set_config('search_path', 'nowhere', false)",
        "SELECT coalesce(nullif(current_setting('app.tenant', true), ''), 'none') || current_setting('search_path') = 'none\"$user\", public'",
    ),
    (
        "SELECT pg_advisory_lock(1)",
        "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ),
    (
        "CREATE TEMP TABLE note AS SELECT 1 AS hidden",
        "SELECT to_regclass('pg_temp.note') IS NULL",
    ),
    (
        "SELECT 1 AS x INTO TEMP left_over",
        "SELECT to_regclass('pg_temp.left_over') IS NULL",
    ),
    (
        "PREPARE p AS SELECT 1",
        "SELECT count(*) = 0 FROM pg_prepared_statements",
    ),
    (
        "LISTEN news",
        "SELECT count(*) = 0 FROM pg_listening_channels()",
    ),
    (
        "BEGIN READ ONLY",
        "SELECT current_setting('transaction_read_only') = 'off'",
    ),
];

#[test]
fn nothing_of_a_session_reaches_the_next_request() {
    let sql = Sql::start_with("connections = 1\n");
    for (trace, question) in TRACES {
        let left = sql.send(&one(trace), &[]);
        assert_eq!(left.status, 200, "{trace}: {}", left.text());
        assert_eq!(sql.value(question), true, "{trace}");
    }
    assert_eq!(
        sql.ask("SELECT body FROM note")["rows"]
            .as_array()
            .map(Vec::len),
        Some(0)
    );
}

#[test]
fn reading_and_writing_keeps_the_connection_and_the_rest_costs_it() {
    let sql = Sql::start_with("connections = 1\n");
    let process = || sql.value("SELECT pg_backend_pid()");
    let first = process();
    sql.ask("INSERT INTO note(body) VALUES ('x')");
    assert_eq!(sql.send(&one("SELECT 1/0"), &[]).status, 400);
    assert_eq!(process(), first);
    sql.ask("SET work_mem = '1MB'");
    let second = process();
    assert_ne!(second, first);
    sql.ask("DO $$ BEGIN PERFORM 1; END $$");
    assert_ne!(process(), second);
}

#[test]
fn a_statement_that_takes_too_long_is_stopped_on_the_server() {
    let sql = Sql::start_with("statement_timeout = \"500ms\"\nconnections = 1\n");
    for statement in [
        "SELECT pg_sleep(30)",
        // It does not help to lift the server's own bound.
        "SELECT set_config('statement_timeout', '0', false), pg_sleep(30)",
    ] {
        let began = Instant::now();
        let stopped = sql.send(&one(statement), &[]);
        assert_eq!(stopped.status, 400, "{}", stopped.text());
        assert_eq!(stopped.json()["code"], "57014");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        until_nothing_runs(&sql);
    }
    assert_eq!(sql.value("SHOW statement_timeout"), "500ms");
}

#[test]
fn the_statement_of_a_client_who_left_is_stopped() {
    use std::io::Write as _;

    let sql = Sql::start();
    let address = sql
        .endpoint
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/sql")
        .unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    let body = one("SELECT pg_sleep(8)");
    let request = format!(
        "POST /sql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
        super::TOKEN,
        body.len()
    );
    client.write_all(request.as_bytes()).unwrap();
    let began = Instant::now();
    while running(&sql) != "1" {
        assert!(began.elapsed() < Duration::from_secs(5), "it does not run");
    }
    drop(client);
    let left = Instant::now();
    until_nothing_runs(&sql);
    assert!(
        left.elapsed() < Duration::from_secs(2),
        "{:?}",
        left.elapsed()
    );
}

fn running(sql: &Sql) -> String {
    sql.directly(&format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = '{}' AND state = 'active'",
        sql.role
    ))
}

fn until_nothing_runs(sql: &Sql) {
    let began = Instant::now();
    while running(sql) != "0" {
        assert!(began.elapsed() < Duration::from_secs(5), "it still runs");
    }
}
