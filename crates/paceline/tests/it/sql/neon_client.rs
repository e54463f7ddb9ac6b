//! Our own client of the protocol, on an endpoint that the vendor's client has judged.

use std::time::{Duration, Instant};

use paceline_data::neon::{NeonClient, NeonError, NeonQuery};
use paceline_data::postgres::text::{Isolation, Transaction};
use tokio::runtime::Runtime;

use super::{PASSWORD, Sql};

fn client(sql: &Sql, password: &str) -> NeonClient {
    let authority = sql
        .endpoint
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/sql")
        .unwrap();
    let address = format!("neon+http://app:{password}@{authority}/main");
    NeonClient::new(address.parse().unwrap()).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn code(error: &NeonError) -> Option<&str> {
    match error {
        NeonError::Refused(refusal) => refusal.code.as_deref(),
        _ => None,
    }
}

#[test]
fn statements_and_batches_over_http() {
    let sql = Sql::start();
    let client = client(&sql, PASSWORD);
    Runtime::new().unwrap().block_on(async {
        let query = NeonQuery::new("SELECT $1::int8 AS n, $2 AS t, $3::text AS nothing")
            .value("9007199254740993")
            .value("it's")
            .null();
        let result = client.read(&query, soon()).await.unwrap();
        assert_eq!(result.fields()[0].name, "n");
        let row = result.rows().next().unwrap();
        assert_eq!(row.get::<i64>(0), Ok(Some(9_007_199_254_740_993)));
        assert_eq!(
            (row.text(1), row.text(2), row.text(3)),
            (Some("it's"), None, None)
        );

        let insert = NeonQuery::new("INSERT INTO note(body) VALUES ($1)").value("x");
        let result = client.execute(&insert, soon()).await.unwrap();
        assert_eq!((result.command(), result.row_count()), ("INSERT", Some(1)));
        let serializable = Transaction {
            isolation: Some(Isolation::Serializable),
            ..Transaction::default()
        };
        let level = NeonQuery::new("SHOW transaction_isolation");
        let results = client
            .batch(&[insert.clone(), level.clone()], serializable, soon())
            .await
            .unwrap();
        assert_eq!(
            results[1].rows().next().unwrap().text(0),
            Some("serializable")
        );
        let wrong = NeonQuery::new("INSERT INTO note(id, body) VALUES (1, 'taken')");
        let error = client
            .batch(&[insert.clone(), wrong], serializable, soon())
            .await
            .unwrap_err();
        assert_eq!(code(&error), Some("23505"), "{error}");
        assert_eq!(sql.directly("SELECT count(*) FROM note"), "2");
        let only_reads = Transaction {
            read_only: Some(true),
            ..Transaction::default()
        };
        let error = client
            .batch(&[insert], only_reads, soon())
            .await
            .unwrap_err();
        assert_eq!(code(&error), Some("25006"), "{error}");

        let large = NeonQuery::new("SELECT repeat('x', 1000000) FROM generate_series(1, 11)");
        assert!(matches!(
            client.read(&large, soon()).await,
            Err(NeonError::TooLarge)
        ));
        let slow = NeonQuery::new("SELECT pg_sleep(5)");
        let until = Instant::now() + Duration::from_millis(300);
        let error = client.read(&slow, until).await.unwrap_err();
        assert!(
            matches!(&error, NeonError::Http(cause) if cause.is_late()),
            "{error}"
        );
    });
}

#[test]
fn a_wrong_password_is_told_and_never_shown() {
    let sql = Sql::start();
    let client = client(&sql, "a-wrong-guess");
    let error = Runtime::new()
        .unwrap()
        .block_on(client.read(&NeonQuery::new("SELECT 1").value("a-secret-value"), soon()))
        .unwrap_err();
    assert_eq!(code(&error), Some("28P01"), "{error}");
    let query = NeonQuery::new("SELECT $1").value("a-secret-value");
    let shown = format!(
        "{client:?} {error:?} {error} {query:?} {}",
        client.address()
    );
    assert!(
        !shown.contains("guess") && !shown.contains("secret-value"),
        "{shown}"
    );
}
