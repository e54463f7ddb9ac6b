//! PostgreSQL over HTTP, through our own `[sql]`: the same requests have the answers that they have over TCP.

use std::sync::Arc;

use paceline_test_servers::{Postgres, free_port};

use super::{next, said, shop};
use crate::client::Answer;
use crate::server::Server;

/// One row of every type, one of their ends, and one of `NULL`s.
const TYPES: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE kinds(id int PRIMARY KEY, yes bool, small smallint, big bigint, single real, double double precision,
        price numeric, name varchar(20), fixed char(4), code uuid, day date, clock time, civil timestamp,
        moment timestamptz, doc jsonb, plain json, bytes bytea, mood mood, many int[], pair pair, net inet, span interval);
    INSERT INTO kinds VALUES (1, true, -32768, 9223372036854775807, 0.1, 1e300, 12345.678900, 'x\"y', 'ab',
        '123e4567-e89b-12d3-a456-42661417400f', '2026-02-28', '12:30:00.5', '2026-02-28 12:30:00.000001',
        '2026-02-28 12:30:00+02', '{\"a\": [1, null]}', '{\"a\":  1.50}', '\\x00ff', 'happy', '{1,NULL}', ROW(1, 'x'),
        '10.0.0.0/8', '1 day 02:00'),
      (2, false, 0, 0, 'NaN', '-Infinity', 'NaN', '', '', NULL, 'infinity', '24:00:00', '-infinity', 'infinity', 'null',
        '[]', '', 'sad', '{}', NULL, '::1', '0'),
      (3, NULL, NULL, NULL, 'Infinity', -0.0, -0.10, 'é', NULL, NULL, '0044-03-15 BC', '00:00', '12026-01-01 00:00',
        '0001-01-01 00:00:00+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE TABLE long(id int PRIMARY KEY, x text);
    INSERT INTO long SELECT i, 'row ' || i FROM generate_series(1, 3333) AS i;
    CREATE TABLE wide(id text PRIMARY KEY, x text);
    INSERT INTO wide SELECT 'é' || i, repeat('x', 1000000) FROM generate_series(1, 25) AS i;";

struct Ways {
    tcp: Server,
    http: Server,
    _gateway: Server,
    _cluster: Arc<Postgres>,
}

impl Ways {
    fn start() -> Self {
        let cluster = Postgres::shared();
        let name = cluster.database();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.sql");
        let bytes = |id: i64| format!("'\\x00{id:02x}ff'");
        let rows = shop::rows(["false", "true"], bytes);
        let statements = shop::with(shop::SCHEMA, &shop::POSTGRES) + &rows + TYPES;
        let grant = format!(
            "CREATE ROLE reader_{name} LOGIN PASSWORD 'of-the-role'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{name}; ANALYZE;"
        );
        std::fs::write(&file, statements + &grant).unwrap();
        cluster.sql_file(&name, &file);
        let tcp = format!(
            "postgres://reader_{name}:of-the-role@127.0.0.1:{}/{name}",
            cluster.port()
        );
        let port = free_port();
        let config = format!(
            "[database]\nurl = \"{tcp}\"\n[sql]\nlisten = \"127.0.0.1:{port}\"\nurl = \"{tcp}\"\nuser = \"app\"\npassword = \"p@ss/word\"\n"
        );
        Self {
            _gateway: Server::serve(&config, folder),
            tcp: Server::serve_url(&tcp),
            http: Server::serve_url(&format!(
                "neon+http://app:p%40ss%2Fword@127.0.0.1:{port}/{name}"
            )),
            _cluster: cluster,
        }
    }

    /// Sends a request each way; they must say the same.
    #[track_caller]
    fn both(&self, path: &str, headers: &[&str]) -> [Answer; 2] {
        let answers = [&self.tcp, &self.http].map(|server| server.get_with(path, headers));
        assert_eq!(said(&answers[1]), said(&answers[0]), "{path}");
        answers
    }
}

#[test]
fn the_same_requests_have_the_same_answers_over_http() {
    let ways = Ways::start();
    for request in shop::REQUESTS {
        let (status, path) = match request.split_once(' ') {
            Some((status, path)) => (status.parse().unwrap(), path),
            None => (200_u16, request),
        };
        let [_, answer] = ways.both(path, &[]);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    let api = ["Accept: application/vnd.api+json"];
    ways.both("/api/posts?include=user&page[size]=5&sort=-id", &api);
    for path in [
        "/api/posts?limit=13&fields=id,score&sort=-score",
        "/api/users?limit=4&sort=boss_id,-name",
    ] {
        let mut pages = ways.both(path, &[]);
        let mut count = 0;
        while let [Some(tcp), Some(http)] = pages.each_ref().map(next) {
            let of = |server: &Server, cursor: &str| server.get(&format!("{path}&cursor={cursor}"));
            pages = [of(&ways.tcp, &tcp), of(&ways.http, &http)];
            assert_eq!(said(&pages[1]), said(&pages[0]), "{path}");
            count += 1;
        }
        assert!(count >= 7, "{path}: {count}");
    }
    // A 304 for what is the same.
    let row = ways.http.get("/api/users/1");
    let tag = format!("If-None-Match: {}", row.header("etag"));
    assert_eq!(ways.http.get_with("/api/users/1", &[&tag]).status, 304);
}

#[test]
fn every_type_is_what_it_is_over_tcp() {
    let ways = Ways::start();
    let [_, answer] = ways.both("/api/kinds?sort=id", &[]);
    assert_eq!(
        answer.json()["data"].as_array().map(Vec::len),
        Some(3),
        "{}",
        answer.text()
    );
    for filter in [
        "big=9223372036854775807",
        "price=12345.6789",
        "day=2026-02-28",
        "moment[lt]=2026-02-28T10:30:01Z",
        "code=123e4567-e89b-12d3-a456-42661417400f",
        "mood=happy",
        "name[like]=x%25",
        "yes=true",
    ] {
        let [_, answer] = ways.both(&format!("/api/kinds?fields=id&{filter}"), &[]);
        assert_eq!(
            answer.json()["data"][0]["id"],
            1,
            "{filter}: {}",
            answer.text()
        );
    }
    ways.both("/api/kinds?day=2026-02-31", &[]);
    ways.both("/api/kinds/1%00", &[]);
}

#[test]
fn exports_go_page_by_page_and_are_whole() {
    let ways = Ways::start();
    for path in [
        "/api/export/long",
        "/api/export/long?fields=x",
        "/api/export/kinds",
        "/api/export/wide",
        "/api/export/active_users",
    ] {
        for kind in ["application/json", "application/x-ndjson", "text/csv"] {
            let [_, answer] = ways.both(path, &[&format!("Accept: {kind}")]);
            assert_eq!(answer.status, 200, "{path}");
        }
    }
    let [_, answer] = ways.both("/api/export/long?id[gt]=3000&id[lt]=3010", &[]);
    assert_eq!(answer.json().as_array().map(Vec::len), Some(9));
    // What does not fit into one answer of the endpoint is told, where no page can be smaller.
    let refused = ways.http.get("/api/wide?limit=25&count=none");
    refused.assert_problem(400, "answer-too-large");
    assert_eq!(ways.http.get("/api/wide?limit=5").status, 200);
}

#[test]
fn an_endpoint_that_is_gone_is_a_503() {
    let Ways {
        http,
        _gateway: gateway,
        _cluster: cluster,
        tcp,
    } = Ways::start();
    assert_eq!(http.get("/health/ready").status, 200);
    drop(gateway);
    let gone = http.get("/api/users/1");
    assert_eq!(gone.status, 503, "{}", gone.text());
    assert!(gone.headers.contains_key("retry-after"));
    assert_eq!(http.get("/health/ready").status, 503);
    drop((tcp, cluster));
}
