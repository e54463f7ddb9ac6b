//! Nothing secret is logged, whatever is logged.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use paceline_test_servers::{Postgres, free_port};

use super::{PASSWORD, SCHEMA, TOKEN, config, connection_string, one, role};
use crate::client;
use crate::server::BINARY;

#[test]
fn trap_14_neither_passwords_nor_tokens_nor_values_are_logged() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    cluster.sql(&database, SCHEMA);
    let role = role(&cluster, &database);
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    std::fs::write(&file, config(&cluster, &database, &role, port, "")).unwrap();
    let log = folder.path().join("log");
    let output = File::create(&log).unwrap();
    let mut server = Command::new(BINARY)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "off",
            "--config",
        ])
        .arg(&file)
        .env("PACELINE_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it does not start"
        );
    }
    let right = format!("Neon-Connection-String: {}", connection_string(PASSWORD));
    let wrong = format!(
        "Neon-Connection-String: {}",
        connection_string("a-wrong-guess")
    );
    let token = format!("Authorization: Bearer {TOKEN}");
    let statement = r#"{"query": "SELECT $1::int", "params": ["a-secret-value"]}"#;
    for (header, body, status) in [
        (right.as_str(), one("SELECT 1"), 200),
        (right.as_str(), statement.to_owned(), 400),
        (wrong.as_str(), one("SELECT 1"), 400),
        (
            token.as_str(),
            one("SELECT pg_terminate_backend(pg_backend_pid())"),
            500,
        ),
        ("Authorization: Bearer a-wrong-token", one("SELECT 1"), 400),
    ] {
        let url = format!("http://127.0.0.1:{port}/sql");
        let answer = client::send("POST", &url, &[header], Some(body.as_bytes()));
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    server.kill().unwrap();
    server.wait().unwrap();
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("was not answered"), "{logged}");
    for secret in [
        PASSWORD,
        TOKEN,
        "of-the-role",
        "a-wrong-guess",
        "a-wrong-token",
        "a-secret-value",
        Postgres::PASSWORD,
    ] {
        assert!(!logged.contains(secret), "{secret} in the log");
    }
}
