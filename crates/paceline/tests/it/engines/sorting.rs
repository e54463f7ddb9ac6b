//! Orders a configuration offers, and how pages are counted, on both engines.

use std::process::Command;

use paceline_test_servers::Postgres;

use crate::server::{BINARY, Server};

const SCHEMA: &str = "CREATE TABLE post(id INTEGER PRIMARY KEY, title TEXT NOT NULL, created_at TEXT NOT NULL, rank INTEGER NOT NULL);
    CREATE INDEX by_time ON post(created_at); CREATE INDEX by_rank ON post(rank) WHERE rank > 5;";
const RESOURCE: &str = "[resources.post]\ndefault_sort = [\"-title\"]\nsort = [\"id\", \"created_at\", \"rank\", \"title\"]\n";

/// What `check` says of a configuration; it must be fine.
fn check(url: &str, resource: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    std::fs::write(&file, format!("[database]\nurl = \"{url}\"\n{resource}")).unwrap();
    let mut check = Command::new(BINARY);
    let output = check
        .arg("check")
        .arg("--config")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A database of each engine with these tables, and what keeps them alive.
fn databases(schema: &str) -> (Vec<String>, impl Sized + use<>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let made = Command::new("sqlite3").arg(&file).arg(schema).status();
    assert!(
        made.expect("sqlite3 is installed by the test command")
            .success()
    );
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(&name, schema);
    let urls = vec![format!("sqlite:{}", file.display()), cluster.url(&name)];
    (urls, (folder, cluster))
}

#[test]
fn check_warns_of_orders_no_index_is_in() {
    let (urls, _alive) = databases(SCHEMA);
    for url in urls {
        let told = check(&url, RESOURCE);
        let warned: Vec<&str> = told
            .lines()
            .filter(|line| line.starts_with("warning: no index"))
            .collect();
        assert_eq!(warned.len(), 3, "{told}");
        for (line, (order, key)) in warned.iter().zip([
            ("-title", "default_sort"),
            ("rank", "sort"),
            ("title", "sort"),
        ]) {
            assert!(
                line.contains(&format!("order {order:?}, which `{key}`"))
                    && line.contains("refused"),
                "{line}"
            );
        }
        let served = RESOURCE
            .replace("-title", "-created_at")
            .replace(", \"rank\", \"title\"", "");
        assert!(!check(&url, &served).contains("no index"));
        let unindexed = format!("{RESOURCE}unindexed = true\n");
        assert!(!check(&url, &unindexed).contains("refused"));
    }
}

#[test]
fn lists_come_in_the_usual_order_and_only_in_those_allowed() {
    let rows = "INSERT INTO post VALUES (1, 'b', '2026-01-01', 7), (2, 'c', '2026-01-03', 7), (3, 'a', '2026-01-02', 7);";
    let (urls, _alive) = databases(&format!("{SCHEMA}{rows}"));
    for url in urls {
        let config = format!(
            "[database]\nurl = \"{url}\"\n[resources.post]\ndefault_sort = [\"-created_at\"]\nsort = [\"id\", \"created_at\"]\n"
        );
        let server = Server::serve(&config, tempfile::tempdir().unwrap());
        let ids = |path: &str| -> Vec<i64> {
            let page = server.get(path).json();
            let rows = page["data"].as_array().unwrap().iter();
            rows.map(|row| row["id"].as_i64().unwrap()).collect()
        };
        assert_eq!(ids("/api/post"), [2, 3, 1]);
        assert_eq!(ids("/api/post?sort=id"), [1, 2, 3]);
        let first = server.get("/api/post?limit=2").json();
        let next = first["pagination"]["next"].as_str().unwrap();
        assert_eq!(ids(&format!("/api/post?limit=2&cursor={next}")), [1]);
        let refused = server.get("/api/post?sort=title");
        let problem = refused.assert_problem(400, "invalid-sort");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("only id, created_at can"),
            "{problem}"
        );
    }
    let (urls, _alive) = databases(SCHEMA);
    for url in urls {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paceline.toml");
        let config = format!(
            "[database]\nurl = \"{url}\"\n[resources.post]\nsort = [\"titel\"]\ndefault_sort = [\"-nope\"]\n"
        );
        std::fs::write(&file, config).unwrap();
        let mut check = Command::new(BINARY);
        let output = check
            .arg("check")
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("title") && told.contains("nope"), "{told}");
    }
}

#[test]
fn an_estimate_comes_from_statistics_and_scans_nothing() {
    let cluster = Postgres::start_with(&[("log_statement", "all"), ("autovacuum", "off")]);
    let name = cluster.database();
    cluster.sql(
        &name,
        "CREATE TABLE big(id int PRIMARY KEY, n int); INSERT INTO big SELECT i, i % 10 FROM generate_series(1, 5000) AS i",
    );
    cluster.sql(&name, "ANALYZE big");
    // The file does not grow, so that the estimate stays what it was while the count does not.
    cluster.sql(&name, "DELETE FROM big WHERE id <= 100");
    let server = super::serve(&cluster, &name);
    let total = |query: &str| {
        server.get(&format!("/api/big?{query}")).json()["pagination"]["total"].clone()
    };
    assert_eq!(total("count=estimated"), 5000);
    assert!(total("count=none").is_null());
    let counted = |log: &str| log.matches("count(*) FROM").count();
    assert_eq!(
        counted(&cluster.log()),
        0,
        "neither the start nor these pages count"
    );
    assert_eq!(total("count=exact"), 4900);
    assert_eq!(total(""), 4900);
    // What statistics say nothing of is counted.
    assert_eq!(total("count=estimated&n=3&id[gt]=0"), 490);
    assert!(counted(&cluster.log()) > 0, "the log tells of counts");
}
