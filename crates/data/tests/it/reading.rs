//! Statements on the reader threads: deadlines, callers who leave, bounds.

use std::num::NonZeroUsize;
use std::time::Duration;

use paceline_data::Value;
use paceline_data::sqlite::{SqliteDatabase, SqliteOptions};

use crate::files::{Broken, ENDLESS, File, FirstColumn, sql, sql_with};

const HOUR: Duration = Duration::from_hours(1);

fn one_reader(file: &File) -> SqliteOptions {
    SqliteOptions::new(file.path())
        .read_connections(NonZeroUsize::MIN)
        .query_timeout(HOUR)
}

/// Waits until the database has begun this many statements.
async fn begun(database: &SqliteDatabase, statements: u64) {
    while database.counts().statements < statements {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn statements_and_rows_are_counted() {
    let file = File::new("CREATE TABLE t(x); INSERT INTO t VALUES (1), ('a'), (NULL), (x'41')");
    let database = SqliteDatabase::open(&SqliteOptions::new(file.path())).unwrap();
    let values = vec![Value::Integer(3)];
    let answer = database
        .run(sql_with("SELECT x FROM t LIMIT ?1", values), FirstColumn)
        .await
        .unwrap();
    assert_eq!(
        (answer.bytes.as_slice(), answer.rows),
        (b"[1,a,null,]".as_slice(), 3)
    );
    let counts = database.counts();
    assert_eq!((counts.statements, counts.rows), (1, 3));
}

#[tokio::test]
async fn a_statement_out_of_time_is_stopped() {
    let file = File::new("CREATE TABLE t(x)");
    let options = one_reader(&file).query_timeout(Duration::from_millis(20));
    let database = SqliteDatabase::open(&options).unwrap();
    assert!(
        database
            .run(sql(ENDLESS), FirstColumn)
            .await
            .unwrap_err()
            .is_timeout()
    );
    assert!(database.is_readable().await, "the thread goes on");
}

#[tokio::test]
async fn trap_18_a_caller_who_leaves_stops_the_statement_and_skips_the_queued_one() {
    let file = File::new("CREATE TABLE t(x)");
    let database = SqliteDatabase::open(&one_reader(&file)).unwrap();
    let spawn = |text: &'static str| {
        let database = database.clone();
        tokio::spawn(async move {
            database
                .run(sql(text), FirstColumn)
                .await
                .map(|answer| answer.bytes)
        })
    };
    let running = spawn(ENDLESS);
    begun(&database, 1).await;
    let queued = spawn(ENDLESS);
    tokio::task::yield_now().await;
    queued.abort();
    let _ = queued.await;
    running.abort();
    let _ = running.await;
    assert_eq!(
        spawn("SELECT 7").await.unwrap().unwrap(),
        b"[7,]",
        "the thread is free again"
    );
    assert_eq!(
        database.counts().statements,
        2,
        "the queued one was never begun"
    );
}

#[tokio::test]
async fn a_full_queue_is_an_overload() {
    let file = File::new("CREATE TABLE t(x)");
    let database = SqliteDatabase::open(&one_reader(&file).queue(NonZeroUsize::MIN)).unwrap();
    let spawn = || {
        let database = database.clone();
        tokio::spawn(async move { database.run(sql(ENDLESS), FirstColumn).await.map(drop) })
    };
    let running = spawn();
    begun(&database, 1).await;
    let queued = spawn();
    tokio::task::yield_now().await;
    let refused = database
        .run(sql("SELECT 1"), FirstColumn)
        .await
        .unwrap_err();
    assert!(refused.is_overloaded(), "{refused:?}");
    running.abort();
    queued.abort();
}

#[tokio::test]
async fn a_panic_loses_one_answer_and_not_the_thread() {
    let file = File::new("CREATE TABLE t(x); INSERT INTO t VALUES (1)");
    let database = SqliteDatabase::open(&one_reader(&file)).unwrap();
    let lost = database.run(sql("SELECT x FROM t"), Broken).await;
    assert!(lost.unwrap_err().is_stopped());
    let answer = database
        .run(sql("SELECT x FROM t"), FirstColumn)
        .await
        .unwrap();
    assert_eq!(answer.bytes, b"[1,]");
}
