//! Streams of rows: frames, errors before and after the first one, clients who leave or stand still.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream as _;
use paceline_data::Statement;
use paceline_data::sqlite::{SqliteDatabase, SqliteOptions};
use paceline_data::{RowStream, RunError};

use crate::files::{ENDLESS, File, FirstColumn, sql};

const FRAME: usize = 1024;
const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n)";
/// Rows of [`NUMBERS`] that fill a frame: four digits and a comma each, in the beginning.
const ROWS_A_FRAME: u64 = 206;

fn open(file: &File) -> SqliteDatabase {
    let options = SqliteOptions::new(file.path())
        .read_connections(NonZeroUsize::MIN)
        .max_exports(NonZeroUsize::MIN);
    SqliteDatabase::open(&options).unwrap()
}

fn numbers(select: &str) -> Statement {
    sql(&format!("{NUMBERS} {select}"))
}

async fn next(stream: &mut RowStream) -> Option<Result<Bytes, RunError>> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

/// All bytes, and the error that ended them if one did.
async fn collect(mut stream: RowStream) -> (Vec<u8>, Option<RunError>) {
    let mut all = Vec::new();
    while let Some(frame) = next(&mut stream).await {
        match frame {
            Ok(bytes) => all.extend_from_slice(&bytes),
            Err(error) => {
                assert!(
                    next(&mut stream).await.is_none(),
                    "nothing follows an error"
                );
                return (all, Some(error));
            }
        }
    }
    (all, None)
}

/// Starts an export as soon as the one before has given its place back.
async fn start_when_free(database: &SqliteDatabase, statement: &Statement) -> RowStream {
    loop {
        match database.stream(statement.clone(), FirstColumn, FRAME).await {
            Err(error) if error.is_overloaded() => tokio::task::yield_now().await,
            other => return other.unwrap(),
        }
    }
}

#[tokio::test]
async fn rows_come_in_frames_and_whole() {
    let file = File::new("CREATE TABLE t(x)");
    let database = open(&file);
    let check = async |rows: usize| {
        let statement = numbers(&format!("SELECT i FROM n LIMIT {rows}"));
        let stream = database
            .stream(statement, FirstColumn, FRAME)
            .await
            .unwrap();
        let (bytes, error) = collect(stream).await;
        let expected =
            (1000..1000 + rows).fold(String::new(), |all, number| all + &number.to_string() + ",");
        assert!(error.is_none());
        assert_eq!(String::from_utf8(bytes).unwrap(), format!("[{expected}]"));
    };
    for rows in [0, 1, 204, 205, 206, 5000] {
        check(rows).await;
    }
    assert_eq!(database.counts().rows, 5616);
}

#[tokio::test]
async fn trap_17_an_error_before_the_first_frame_is_the_answer() {
    let file = File::new("CREATE TABLE t(x)");
    let database = open(&file);
    assert!(
        database
            .stream(sql("SELECT nothing FROM t"), FirstColumn, FRAME)
            .await
            .is_err()
    );
    let early = numbers("SELECT json(CASE i WHEN 1010 THEN '{' ELSE 1 END) FROM n");
    assert!(database.stream(early, FirstColumn, FRAME).await.is_err());
    assert!(
        database
            .stream(sql("SELECT 1"), FirstColumn, FRAME)
            .await
            .is_ok(),
        "the place is free again"
    );
}

#[tokio::test]
async fn trap_17_an_error_in_the_middle_leaves_the_output_open() {
    let file = File::new("CREATE TABLE t(x)");
    let database = open(&file);
    let late = numbers("SELECT json(CASE i WHEN 9000 THEN '{' ELSE i END) FROM n LIMIT 20000");
    let stream = database.stream(late, FirstColumn, FRAME).await.unwrap();
    let (bytes, error) = collect(stream).await;
    assert!(error.is_some());
    assert!(bytes.len() > FRAME && !bytes.ends_with(b"]"));
}

#[tokio::test]
async fn trap_18_a_client_who_leaves_stops_the_statement() {
    let file = File::new("CREATE TABLE t(x)");
    let database = open(&file);
    // The second gives a few frames and then searches for ever without a row.
    for select in ["SELECT i FROM n", "SELECT i FROM n WHERE i < 1300"] {
        let mut stream = start_when_free(&database, &numbers(select)).await;
        assert!(next(&mut stream).await.unwrap().is_ok());
        drop(stream);
    }
    drop(start_when_free(&database, &numbers("SELECT i FROM n LIMIT 1")).await);
}

#[tokio::test]
async fn trap_18_a_client_who_leaves_before_the_first_frame_stops_the_statement() {
    let file = File::new("CREATE TABLE t(x)");
    let database = open(&file);
    let waiting = {
        let database = database.clone();
        tokio::spawn(async move {
            database
                .stream(sql(ENDLESS), FirstColumn, FRAME)
                .await
                .map(drop)
        })
    };
    while database.counts().statements == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    let stream = start_when_free(&database, &numbers("SELECT i FROM n LIMIT 1")).await;
    assert!(collect(stream).await.1.is_none());
}

#[tokio::test]
async fn rows_are_read_no_faster_than_they_are_taken_and_pages_are_not_held_up() {
    let file = File::new("CREATE TABLE t(x)");
    let database = open(&file);
    let mut stream = database
        .stream(numbers("SELECT i FROM n"), FirstColumn, FRAME)
        .await
        .unwrap();
    for taken in 1..=20_u64 {
        next(&mut stream).await.unwrap().unwrap();
        let page = database.run(sql("SELECT 7"), FirstColumn).await.unwrap();
        assert_eq!(page.bytes, b"[7,]");
        let rows = database.counts().rows - taken;
        assert!(
            rows <= (taken + 4) * ROWS_A_FRAME,
            "{rows} rows after {taken} frames"
        );
    }
    let second = database
        .stream(numbers("SELECT i FROM n"), FirstColumn, FRAME)
        .await;
    assert!(
        second.unwrap_err().is_overloaded(),
        "only one export at a time here"
    );
}

#[tokio::test]
async fn trap_18_a_client_who_stands_still_loses_its_place() {
    let file = File::new("CREATE TABLE t(x)");
    let options = SqliteOptions::new(file.path())
        .max_exports(NonZeroUsize::MIN)
        .export_stall_timeout(Duration::from_millis(200));
    let database = SqliteDatabase::open(&options).unwrap();
    let still = database
        .stream(numbers("SELECT i FROM n"), FirstColumn, FRAME)
        .await
        .unwrap();
    drop(start_when_free(&database, &numbers("SELECT i FROM n LIMIT 1")).await);
    let (bytes, error) = collect(still).await;
    assert!(error.is_some() && !bytes.ends_with(b"]"));
    let silent = database.stream(sql(ENDLESS), FirstColumn, FRAME).await;
    assert!(
        silent.unwrap_err().is_timeout(),
        "a statement that gives nothing is stopped too"
    );
}
