//! schemathesis reads the OpenAPI document of a shop on PostgreSQL and on `MariaDB`, and tries to prove the server wrong
//! about it: types that are told of in their own way, keys of several columns, names that must be quoted, rows with owners,
//! every kind of write. `cargo xtask test api` installs schemathesis and names it; it asks the demo, on SQLite, too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod service;

use std::path::{Path, PathBuf};
use std::process::Command;

use paceline_test_servers::{MariaDb, Postgres};

use service::Service;

#[test]
fn a_shop_on_postgresql_is_as_its_document_says() {
    let server = Postgres::start();
    let database = server.database();
    server.sql_file(&database, &shop().join("postgres.sql"));
    check(&Service::start(&server.url(&database), &shop()));
}

#[test]
fn a_shop_on_mariadb_is_as_its_document_says() {
    let server = MariaDb::start();
    let database = server.database();
    server.sql_file(&database, &shop().join("mariadb.sql"));
    check(&Service::start(&server.url(&database), &shop()));
}

/// Every check but `positive_data_acceptance`: a schema cannot say all that makes a request wrong, such as a row that
/// another refers to.
#[track_caller]
fn check(service: &Service) {
    let output = Command::new(schemathesis())
        .arg("run")
        .arg(format!("{}/openapi.json", service.base))
        .args(["--checks", "all"])
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", service.key),
        ])
        .args(["--max-examples", "25", "--seed", "2026"])
        .args(["--generation-database", "none", "--no-color"])
        .args(["--continue-on-failure", "--request-timeout", "20"])
        .current_dir(service.folder())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("Tested: 48"), "all operations: {told}");
}

fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/shop")
}

fn schemathesis() -> PathBuf {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/schemathesis");
    let program = std::env::var_os("PACELINE_SCHEMATHESIS").map_or(installed, PathBuf::from);
    assert!(
        program.is_file(),
        "these tests need schemathesis, which `cargo xtask test api` installs: {} is not there",
        program.display()
    );
    program
}
