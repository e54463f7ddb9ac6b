//! The servers start, answer, and are gone when they are dropped.

use std::net::TcpStream;

use paceline_test_servers::{Authority, MariaDb, PgBouncer, Postgres, Release, psql};

#[test]
fn a_cluster_answers_restarts_and_goes() {
    let cluster = Postgres::start_with(&[("max_connections", "12")]);
    let database = cluster.database();
    cluster.sql(
        &database,
        "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)",
    );
    for end in [Postgres::kill, Postgres::shut_down] {
        end(&cluster);
        assert!(psql(&cluster.url(&database), "SELECT 1").is_err());
        assert!(cluster.run(), "{}", cluster.log());
        let found = psql(
            &cluster.url(&database),
            "SELECT id FROM kept; SHOW max_connections",
        );
        assert_eq!(found.as_deref(), Ok("7\n12"));
    }
    let (port, process) = (cluster.port(), cluster.postmaster());
    assert!(std::path::Path::new(&format!("/proc/{process}")).exists());
    drop(cluster);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_wrong_password_is_refused() {
    let cluster = Postgres::shared();
    let url = cluster.url("postgres").replacen(":a-test", ":another", 1);
    let refused = psql(&url, "SELECT 1").expect_err("refused");
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );
}

#[test]
fn each_pooler_is_the_release_it_says() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    for (release, name) in [
        (Release::V1_18, "PgBouncer 1.18"),
        (Release::V1_24, "PgBouncer 1.24"),
    ] {
        let pooler = PgBouncer::start_with(release, &cluster, &[("default_pool_size", "1")]);
        assert_eq!(
            psql(&pooler.url(&database), "SELECT 1").as_deref(),
            Ok("1"),
            "{}",
            pooler.log()
        );
        let version = psql(&pooler.url("pgbouncer"), "SHOW VERSION").expect("an administrator");
        assert!(version.starts_with(name), "{version}");
        pooler.kill();
        assert!(psql(&pooler.url(&database), "SELECT 1").is_err());
        assert!(pooler.run());
        assert_eq!(psql(&pooler.url(&database), "SELECT 1").as_deref(), Ok("1"));
    }
}

#[test]
fn a_cluster_speaks_tls() {
    let authority = Authority::new();
    let cluster = Postgres::start_with_tls(&authority);
    let url = cluster
        .url("postgres")
        .replacen("127.0.0.1", "localhost", 1);
    let checked = |ca: &std::path::Path| {
        let url = format!("{url}?sslmode=verify-full&sslrootcert={}", ca.display());
        psql(
            &url,
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        )
    };
    assert_eq!(checked(&authority.ca()).as_deref(), Ok("t"));
    assert!(checked(&authority.other()).is_err());
}

#[test]
fn a_mariadb_server_answers_restarts_and_goes() {
    let server = MariaDb::start_with(&["--max-connections=12"]);
    let database = server.database();
    server.sql(
        &database,
        "CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)",
    );
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    assert!(server.run(), "{}", server.log());
    let found = server.sql(&database, "SELECT id, @@max_connections FROM kept");
    assert_eq!(found, "7\t12");
    let port = server.port();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
