//! Sessions and transactions.

use std::time::{Duration, Instant};

use paceline_data::Value;
use paceline_data::planetscale::Repeat;
use paceline_test_servers::{Fault, PlanetScale, PlanetScaleOptions};

use super::{client, double, double_with, soon, values};

fn queries(double: &PlanetScale) -> Vec<(String, bool)> {
    let asked = double.asked().into_iter();
    asked
        .map(|asked| (asked.query, asked.with_session))
        .filter(|(query, _)| !query.starts_with("SELECT @@session"))
        .collect()
}

#[tokio::test]
async fn a_session_is_checked_once_and_sent_back_with_every_statement() {
    let double = double();
    let client = client(&double);
    for number in 0..3 {
        let sql = format!("SELECT {number}");
        client.execute(&sql, Repeat::Allowed, soon()).await.unwrap();
    }
    let mut session = client.session(soon()).await.unwrap();
    session
        .execute("SET @kept = 7", Repeat::Never, soon())
        .await
        .unwrap();
    let kept = session.execute("SELECT @kept", Repeat::Allowed, soon());
    assert_eq!(values(&kept.await.unwrap()), [[Value::Integer(7)]]);
    drop(session);
    let asked = double.asked();
    assert_eq!(asked.len(), 6, "{asked:?}");
    assert!(!asked[0].with_session, "the first of all");
    assert!(asked[1..].iter().all(|asked| asked.with_session));
    let statistics = client.statistics();
    assert_eq!((statistics.requests, statistics.failures), (6, 0));
    assert_eq!((statistics.sessions, statistics.kept_sessions), (1, 1));
    assert_eq!(statistics.in_flight, 0);
    assert!(statistics.server_time > Duration::ZERO);
}

#[tokio::test]
async fn transactions_are_committed_or_undone() {
    let double = double();
    double.sql("CREATE TABLE t (id INT PRIMARY KEY)");
    let client = client(&double);
    let mut first = client.begin(soon()).await.unwrap();
    let mut second = client.begin(soon()).await.unwrap();
    first
        .execute("INSERT INTO t VALUES (1)", soon())
        .await
        .unwrap();
    second
        .execute("INSERT INTO t VALUES (2)", soon())
        .await
        .unwrap();
    assert_eq!(double.sql("SELECT count(*) FROM t"), "0");
    assert_eq!(double.open_transactions(), 2);
    first.commit(soon()).await.unwrap();
    second.rollback(soon()).await.unwrap();
    assert_eq!(double.sql("SELECT id FROM t"), "1");
    assert_eq!(double.open_transactions(), 0);
    assert_eq!(client.statistics().kept_sessions, 2, "both are free again");
}

#[tokio::test]
async fn a_failure_to_undo_does_not_hide_the_first_error() {
    let double = double();
    double.sql("CREATE TABLE t (id INT PRIMARY KEY)");
    let client = client(&double);
    let mut transaction = client.begin(soon()).await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", soon())
        .await
        .unwrap();
    let error = transaction
        .execute("INSERT INTO t VALUES (1)", soon())
        .await;
    let error = error.unwrap_err();
    double.fault(Fault::Status(500, "{}".to_owned()));
    let error = transaction.undo_after(error).await;
    let refusal = error.refusal().expect("the first error");
    assert_eq!(
        (refusal.number(), refusal.state()),
        (Some(1062), Some("23000"))
    );
    assert_eq!(client.statistics().kept_sessions, 0, "it is not used again");
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_undone() {
    let double = double();
    double.sql("CREATE TABLE t (id INT PRIMARY KEY)");
    let client = client(&double);
    let mut transaction = client.begin(soon()).await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", soon())
        .await
        .unwrap();
    drop(transaction);
    // Waits for the lock until then.
    let sql = "INSERT INTO t VALUES (1)";
    client.execute(sql, Repeat::Never, soon()).await.unwrap();
    let asked = queries(&double);
    assert!(asked.contains(&("ROLLBACK".to_owned(), true)), "{asked:?}");
}

#[tokio::test]
async fn a_transaction_ends_at_the_vendors_limit() {
    let double = double_with(PlanetScaleOptions {
        transaction_limit: Duration::from_millis(500),
        ..PlanetScaleOptions::default()
    });
    double.sql("CREATE TABLE t (id INT PRIMARY KEY)");
    let client = client(&double);
    let mut transaction = client.begin(soon()).await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", soon())
        .await
        .unwrap();
    let began = Instant::now();
    let error = loop {
        assert!(began.elapsed() < Duration::from_secs(15), "it stays open");
        if let Err(error) = transaction.execute("SELECT 1", soon()).await {
            break error;
        }
    };
    assert!(error.is_transaction_limit(), "{error:?}");
    let error = transaction.undo_after(error).await;
    assert!(error.is_transaction_limit(), "{error:?}");
    assert_eq!(double.sql("SELECT count(*) FROM t"), "0");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_not_sent_again() {
    for (fault, stored) in [(Fault::LostBefore, "0"), (Fault::LostAfter, "1")] {
        let double = double();
        double.sql("CREATE TABLE t (id INT PRIMARY KEY)");
        let client = client(&double);
        let mut transaction = client.begin(soon()).await.unwrap();
        transaction
            .execute("INSERT INTO t VALUES (1)", soon())
            .await
            .unwrap();
        double.fault(fault);
        let error = transaction.commit(soon()).await.unwrap_err();
        assert!(error.may_have_happened(), "{error:?}");
        let commits = queries(&double).into_iter();
        let commits = commits.filter(|(query, _)| query == "COMMIT").count();
        assert_eq!(commits.to_string(), stored, "one request at most");
        assert_eq!(double.sql("SELECT count(*) FROM t"), stored);
    }
}
