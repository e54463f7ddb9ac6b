//! Writes that share a transaction.

use std::time::Duration;

use paceline_data::Row;
use paceline_data::encode::{EncodeError, RowEncoder};
use paceline_data::write::{Precondition, WriteError};

use super::{Shop, read_back};
use crate::files::FirstColumn;

#[tokio::test]
async fn one_failing_write_does_not_take_its_neighbours_along() {
    let schemas = [
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER CHECK (n <> 13));",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER REFERENCES ok DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE ok(n INTEGER PRIMARY KEY); WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i LIMIT 100)
         INSERT INTO ok SELECT n FROM i WHERE n <> 13;",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER);
         CREATE TRIGGER unlucky AFTER INSERT ON t WHEN new.n = 13 BEGIN SELECT RAISE(ROLLBACK, 'no'); END;",
    ];
    for schema in schemas {
        let shop = Shop::with(schema);
        let writes: Vec<_> = (0..50)
            .map(|n| {
                let plan = shop.plan(
                    "POST",
                    "t",
                    &[],
                    &format!("{{\"n\":{n}}}"),
                    Precondition::None,
                );
                let database = shop.database.clone();
                tokio::spawn(async move { database.write(plan).await })
            })
            .collect();
        for (n, write) in writes.into_iter().enumerate() {
            let outcome = write.await.unwrap();
            assert_eq!(outcome.is_ok(), n != 13, "{n}: {outcome:?} {schema}");
            assert!(n != 13 || matches!(outcome, Err(WriteError::Constraint(_))));
        }
        assert_eq!(
            shop.read("count(*), sum(n) FROM t"),
            format!("49|{}", 49 * 50 / 2 - 13)
        );
    }
}

/// Waits at the first row until it is let go.
struct Held(std::sync::mpsc::Receiver<()>);

impl RowEncoder for Held {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn row(&mut self, _: &dyn Row, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.recv().map_err(|_| EncodeError)
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

#[tokio::test]
async fn of_writes_in_one_transaction_only_the_failed_one_is_undone() {
    let shop = Shop::with("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)");
    let plan = |n: i64| {
        let body = format!("{{\"n\":{n}}}");
        shop.plan("POST", "t", &[], &body, Precondition::None)
    };
    // The first one keeps the writer busy until the others wait together.
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let first = {
        let (database, plan) = (shop.database.clone(), plan(1));
        let held = read_back("SELECT n FROM t WHERE id = ?1", Held(wait));
        tokio::spawn(async move { database.write_and_read(plan, held).await.is_ok() })
    };
    while shop.database.counts().statements == 0 {
        tokio::task::yield_now().await;
    }
    let read_ids = "SELECT id FROM t WHERE id = ?1";
    let rest = [(2, read_ids), (4, "SELECT nothing"), (8, read_ids)].map(|(n, sql)| {
        let (database, plan) = (shop.database.clone(), plan(n));
        let read = read_back(sql, FirstColumn);
        tokio::spawn(async move { database.write_and_read(plan, read).await.is_ok() })
    });
    tokio::task::yield_now().await;
    release.send(()).unwrap();
    assert!(first.await.unwrap());
    let mut outcomes = Vec::new();
    for write in rest {
        outcomes.push(write.await.unwrap());
    }
    assert_eq!(outcomes, [true, false, true]);
    assert_eq!(shop.read("sum(n) FROM t"), "11");
}

#[tokio::test]
async fn a_write_out_of_time_is_undone_and_the_writer_goes_on() {
    let schema = "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER);
         CREATE TRIGGER slow AFTER INSERT ON t WHEN new.n = 13 BEGIN SELECT count(*) FROM
             (WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i) SELECT n FROM i); END;";
    let shop = Shop::with_timeout(schema, Duration::from_millis(100));
    let error = shop
        .write("POST", "t", &[], r#"{"n":13}"#)
        .await
        .unwrap_err();
    assert!(matches!(error, WriteError::Run(error) if error.is_timeout()));
    shop.write("POST", "t", &[], r#"{"n":14}"#).await.unwrap();
    assert_eq!(shop.read("count(*), sum(n) FROM t"), "1|14");
}

#[tokio::test]
async fn another_process_that_holds_the_lock_makes_the_write_busy() {
    let schema = "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)";
    let shop = Shop::with_timeout(schema, Duration::from_millis(100));
    let other = shop.file.connect();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = shop
        .write("POST", "t", &[], r#"{"n":1}"#)
        .await
        .unwrap_err();
    assert!(matches!(error, WriteError::Run(error) if error.is_busy()));
    other.execute_batch("ROLLBACK").unwrap();
    shop.write("POST", "t", &[], r#"{"n":1}"#).await.unwrap();
}

#[tokio::test]
async fn the_log_is_copied_into_the_file_and_that_changes_no_stamp() {
    let shop = Shop::with(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n TEXT); CREATE TABLE alone(id INTEGER PRIMARY KEY)",
    );
    let alone = [shop.database.catalog().find("alone").unwrap().id];
    let before = shop.database.stamp(&alone);
    let body = format!("{{\"n\":\"{}\"}}", "x".repeat(400_000));
    for _ in 0..40 {
        shop.write("POST", "t", &[], &body).await.unwrap();
        assert_eq!(shop.database.stamp(&alone), before);
    }
    let log = std::fs::metadata(shop.file.path().with_extension("db-wal"))
        .unwrap()
        .len();
    assert!(
        log < 8_000_000,
        "16 MB were written, the log has {log} bytes"
    );
}
