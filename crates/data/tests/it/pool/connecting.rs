//! What a server says to those it does not let in, and where a connection can lead.

use std::time::Instant;

use paceline_test_servers::Postgres;

use super::{ask, pool, soon, with_causes};

async fn refusal(url: &str) -> String {
    let pool = pool(url, 1);
    let start = Instant::now();
    let error = pool.acquire(soon()).await.unwrap_err();
    assert_eq!(
        pool.statistics().counts.failed_attempts,
        1,
        "not tried again"
    );
    assert!(error.is_connect());
    let text = with_causes(&error);
    println!("{:?}: {text}", start.elapsed());
    assert!(
        !text.contains("a-test") && !text.contains("wrong%"),
        "{text}"
    );
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_for_good_are_said_at_once_with_what_to_do() {
    let cluster = Postgres::shared();
    let url = cluster.url("postgres");
    for (from, to, part) in [
        (
            "a-test%27s-password",
            "wrong%25",
            "password authentication failed for user \"paceline\" (28P01); check user and password",
        ),
        (
            ":a-test%27s-password",
            "",
            "wants a password, and the address holds none",
        ),
        (
            "/postgres",
            "/nowhere",
            "database \"nowhere\" does not exist (3D000); the database is the last part",
        ),
        ("127.0.0.1", "no-such-host.invalid", "no-such-host.invalid:"),
    ] {
        let url = format!("{}?sslmode=disable", url.replacen(from, to, 1));
        let text = refusal(&url).await;
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_are_tried_in_turn() {
    let cluster = Postgres::shared();
    let port = paceline_test_servers::free_port();
    let url = cluster
        .url("postgres")
        .replacen('@', &format!("@127.0.0.1:{port},"), 1);
    assert_eq!(ask(&pool(&url, 1), "SELECT '1'").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_in_the_file_system_is_a_host_too() {
    let cluster = Postgres::shared();
    let url = format!(
        "postgres:///postgres?host={}&port={}&user={}",
        cluster.socket_folder().display(),
        cluster.port(),
        Postgres::USER
    );
    let pool = pool(&url, 1);
    assert_eq!(
        ask(&pool, "SELECT coalesce(inet_client_addr()::text, 'local')")
            .await
            .unwrap(),
        "local"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named() {
    let port = paceline_test_servers::free_port();
    let pool = pool(&format!("postgres://u:p@127.0.0.1:{port}/d"), 1);
    let deadline = Instant::now() + std::time::Duration::from_millis(200);
    let text = with_causes(&pool.acquire(deadline).await.unwrap_err());
    assert!(
        text.contains(&format!("127.0.0.1:{port} cannot be reached: ")),
        "{text}"
    );
}
