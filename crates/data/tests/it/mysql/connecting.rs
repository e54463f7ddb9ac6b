//! Connections: addresses, TLS, sockets, what a session is asked and told, and what refusals say.

use std::error::Error;
use std::time::{Duration, Instant};

use paceline_data::mysql::MySqlOptions;
use paceline_data::mysql::connect::{Address, MySqlConnection, MySqlManager, StatementMode};
use paceline_data::pool::{Lease, Pool, PoolOptions};
use paceline_data::{Database, MySqlFlavor, SqlDialect};
use paceline_test_servers::{Authority, MariaDb};

use crate::files::{FirstColumn, sql};

async fn lease(address: &str) -> Result<Lease<MySqlManager>, String> {
    let address: Address = address.parse().map_err(|error| format!("{error}"))?;
    let manager = MySqlManager::new(address).map_err(|error| told(&error))?;
    let pool = Pool::new(manager, PoolOptions::default());
    let deadline = Instant::now() + Duration::from_secs(10);
    pool.acquire(deadline).await.map_err(|error| told(&error))
}

/// The message with its causes.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_asked_once_and_nothing_is_set_where_nothing_must() {
    let server = MariaDb::shared();
    let connection = lease(&server.url("mysql")).await.unwrap();
    let session = connection.session();
    assert!(session.version.contains("MariaDB"), "{}", session.version);
    assert_eq!(session.flavor, MySqlFlavor::MariaDb);
    assert_eq!(session.settings, None);
    assert_eq!(connection.statements(), StatementMode::Named);
    let questions = server.sql(
        "mysql",
        &format!(
            "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_SET_OPTION';
             SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID = {}",
            session.connection_id
        ),
    );
    assert!(questions.ends_with("\n1"), "{questions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_tls_lead_to_the_server() {
    let authority = Authority::new();
    let server = MariaDb::start_with_tls(&authority);
    let password = MariaDb::PASSWORD.replace('\'', "%27");
    let user = format!("{}:{password}", MariaDb::USER);
    let port = server.port();
    let ca = authority.ca().display().to_string();
    let socket = server.socket().display().to_string();
    let encrypted = |host: &str, ca: &str| {
        format!("mysql://{user}@{host}:{port}/mysql?ssl-mode=verify-full&ssl-ca={ca}")
    };
    for address in [
        encrypted("localhost", &ca),
        format!("mysql://{user}@127.0.0.1:{port}/mysql?insecure=true"),
        format!("mysql://{user}@/mysql?socket={socket}"),
    ] {
        let connection = lease(&address).await.unwrap();
        assert!(connection.session().version.contains("MariaDB"));
        let ciphers = server.sql(
            "mysql",
            "SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = 'paceline'",
        );
        assert_eq!(ciphers, "1");
        drop(connection);
    }
    for (address, expected) in [
        (
            encrypted("localhost", &authority.other().display().to_string()),
            "signed by nobody who is trusted",
        ),
        (encrypted("127.0.0.1", &ca), "for another host"),
        (encrypted("localhost", "/nowhere.pem"), "/nowhere.pem"),
    ] {
        let refused = lease(&address).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    let plain = MariaDb::shared();
    let address = format!(
        "mysql://{user}@127.0.0.1:{}/mysql?ssl-mode=verify-full&ssl-ca={ca}",
        plain.port()
    );
    let refused = lease(&address).await.unwrap_err();
    assert!(refused.contains("takes no TLS"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_to_do_and_no_password() {
    let server = MariaDb::shared();
    let check = async |address: String, expected: &str| {
        let refused = lease(&address).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    };
    check(
        server.url_as(MariaDb::USER, "hunter2", "mysql"),
        "check user and password",
    )
    .await;
    check(
        server.url("nowhere"),
        "the database is the last part of the address",
    )
    .await;
    let closed = paceline_test_servers::free_port();
    check(
        format!("mysql://u:hunter2@127.0.0.1:{closed}/d?connect_timeout=1"),
        "cannot be reached",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_elsewhere_and_lax_is_put_right_in_one_statement() {
    let server = MariaDb::start_with(&[
        "--default-time-zone=+05:30",
        "--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES",
        "--autocommit=0",
    ]);
    server.sql(
        "mysql",
        "CREATE DATABASE shop; CREATE TABLE shop.t(id int PRIMARY KEY, at timestamp NOT NULL, `a \"b\" c` varchar(9));
         INSERT INTO shop.t VALUES (1, '2026-01-31 10:00:00', 'it''s \\'); COMMIT",
    );
    for mode in super::MODES {
        let address: Address = server.url("shop").parse().unwrap();
        let options = MySqlOptions::new(address.with_statements(mode)).writable(true);
        let database = Database::connect_mysql(options).await.unwrap();
        let dialect = database.catalog().dialect();
        assert_eq!(dialect, SqlDialect::MySql(MySqlFlavor::MariaDb));
        let mut statement = sql(
            "SELECT concat(`at`) FROM t WHERE `a \"b\" c` = ?1 AND `a \"b\" c` LIKE ?2 ESCAPE CHAR(92)",
        );
        statement.values = ["it's \\", "it's \\\\"]
            .map(|text| paceline_data::Value::Text(text.to_owned()))
            .to_vec();
        let answer = database.run(statement, FirstColumn).await.unwrap();
        assert_eq!(answer.bytes, b"[2026-01-31 04:30:00,]", "{mode:?}");
        // What another session commits is seen: no transaction of ours is open.
        let count = "SELECT concat(count(*)) FROM t";
        let before = database.run(sql(count), FirstColumn).await.unwrap();
        server.sql(
            "shop",
            "INSERT INTO t SELECT max(id) + 1, NOW(), 'new' FROM t; COMMIT",
        );
        let after = database.run(sql(count), FirstColumn).await.unwrap();
        assert_ne!(before.bytes, after.bytes, "{mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_meanwhile_fails_no_query() {
    let server = MariaDb::shared();
    let options = MySqlOptions::new(server.url("mysql").parse().unwrap())
        .connections(std::num::NonZeroUsize::MIN)
        .pool(PoolOptions::default().check_after_idle(Duration::ZERO));
    let database = Database::connect_mysql(options).await.unwrap();
    let id = "SELECT concat(CONNECTION_ID())";
    let first = database.run(sql(id), FirstColumn).await.unwrap().bytes;
    let first = String::from_utf8(first).unwrap();
    let number = first.trim_matches(['[', ']', ',']);
    server.sql("mysql", &format!("KILL {number}"));
    let second = database.run(sql(id), FirstColumn).await.unwrap().bytes;
    assert_ne!(first.as_bytes(), second);
    let pool = database.pool().unwrap();
    assert_eq!(pool.occupancy.in_use, 0);
}

#[test]
fn a_connection_shows_no_password() {
    fn is_debug<T: std::fmt::Debug>() {}
    is_debug::<MySqlConnection>();
    let address: Address = "mysql://u:hunter2@h/d".parse().unwrap();
    let manager = MySqlManager::new(address.with_proxy(true));
    // Machines without certificates of authorities cannot make it.
    if let Ok(manager) = manager {
        assert!(!format!("{manager:?}").contains("hunter2"));
    }
}
