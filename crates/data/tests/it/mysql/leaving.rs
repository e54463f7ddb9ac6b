//! Clients that leave, statements out of time, servers that go away.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use paceline_data::encode::Layout;
use paceline_data::mysql::MySqlOptions;
use paceline_data::plan::ExportPlan;
use paceline_data::query::parse_export;

use super::Served;
use crate::files::{FirstColumn, sql};

/// Runs for a minute and gives no row before.
const SLOW: &str = "SELECT concat(sleep(60)) /* slow */";
/// Gives rows until it is stopped.
const MANY: &str = "SELECT concat(repeat('x', 1000), seq) /* slow */ FROM seq_1_to_100000000";
/// A client's query must be gone this long after it left.
const GONE: Duration = Duration::from_secs(1);

impl Served {
    fn running(&self) -> String {
        self.sql(
            "SELECT count(*) FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', 'Execute', 'Killed')
             AND INFO LIKE '%slow%' AND ID <> CONNECTION_ID() AND DB = DATABASE()",
        )
    }

    /// Waits until so many slow statements run.
    async fn until_running(&self, count: &str, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        while Instant::now() < deadline {
            if self.running() == count {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_18_the_query_of_a_client_who_leaves_is_cancelled() {
    let served = Served::open("CREATE TABLE t(id int PRIMARY KEY)").await;
    let database = served.database.clone();
    let running = tokio::spawn(async move { database.run(sql(SLOW), FirstColumn).await.is_ok() });
    assert!(served.until_running("1", Duration::from_secs(10)).await);
    running.abort();
    let _ = running.await;
    assert!(served.until_running("0", GONE).await, "it goes on");
    let answer = served.database.run(sql("SELECT 7"), FirstColumn).await;
    assert_eq!(answer.unwrap().bytes, b"[7,]");
    let pool = served.database.pool().unwrap();
    assert_eq!((pool.occupancy.in_use, pool.counts.discarded), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_18_who_leaves_the_queue_leaves_no_trace() {
    let one = |options: MySqlOptions| options.connections(NonZeroUsize::MIN);
    let served = Served::open_with("CREATE TABLE t(id int PRIMARY KEY)", one).await;
    let spawn = || {
        let database = served.database.clone();
        tokio::spawn(async move { database.run(sql(SLOW), FirstColumn).await.is_ok() })
    };
    let running = spawn();
    assert!(served.until_running("1", Duration::from_secs(10)).await);
    let waiting = spawn();
    while served.database.pool().unwrap().occupancy.waiting == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    let _ = waiting.await;
    running.abort();
    let _ = running.await;
    assert!(served.until_running("0", GONE).await);
    let answer = served.database.run(sql("SELECT 7"), FirstColumn).await;
    assert_eq!(answer.unwrap().bytes, b"[7,]");
    assert_eq!(
        served.database.counts().statements,
        2,
        "the waiting one never began"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_past_its_deadline_is_cancelled() {
    let short = |options: MySqlOptions| options.query_timeout(Duration::from_millis(200));
    let served = Served::open_with("CREATE TABLE t(id int PRIMARY KEY)", short).await;
    let error = served
        .database
        .run(sql(SLOW), FirstColumn)
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(served.until_running("0", GONE).await);
    let answer = served.database.run(sql("SELECT 7"), FirstColumn).await;
    assert_eq!(answer.unwrap().bytes, b"[7,]");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_18_an_export_is_cancelled_at_every_stage() {
    let served = Served::open("CREATE TABLE t(id int PRIMARY KEY)").await;
    // Before the first row.
    let database = served.database.clone();
    let beginning =
        tokio::spawn(async move { database.stream(sql(SLOW), FirstColumn, 4096).await.is_ok() });
    assert!(served.until_running("1", Duration::from_secs(10)).await);
    beginning.abort();
    let _ = beginning.await;
    assert!(
        served.until_running("0", GONE).await,
        "before the first row"
    );
    // In the middle, and a client that does not read: frames wait, and so does the server.
    for frames in [3, 0] {
        let mut stream = served
            .database
            .stream(sql(MANY), FirstColumn, 4096)
            .await
            .unwrap();
        for _ in 0..frames {
            stream.next().await.unwrap().unwrap();
        }
        assert!(served.until_running("1", Duration::from_secs(10)).await);
        drop(stream);
        assert!(
            served.until_running("0", GONE).await,
            "after {frames} frames"
        );
    }
    let mut stream = served
        .database
        .stream(sql("SELECT 7"), FirstColumn, 4096)
        .await
        .unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "[7,]");
    assert!(stream.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_exports_than_allowed_are_refused_and_pages_go_on() {
    let one = |options: MySqlOptions| options.max_exports(NonZeroUsize::MIN);
    let served = Served::open_with("CREATE TABLE t(id int PRIMARY KEY)", one).await;
    let stream = served
        .database
        .stream(sql(MANY), FirstColumn, 4096)
        .await
        .unwrap();
    let refused = served
        .database
        .stream(sql("SELECT 7"), FirstColumn, 4096)
        .await;
    assert!(refused.unwrap_err().is_overloaded());
    let answer = served.database.run(sql("SELECT 7"), FirstColumn).await;
    assert_eq!(answer.unwrap().bytes, b"[7,]");
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_exported_in_frames() {
    let served = Served::open("CREATE TABLE t(id int PRIMARY KEY, name text); INSERT INTO t SELECT seq, concat('name ', seq) FROM seq_1_to_20000").await;
    let resource = served.resources.by_path("t").unwrap();
    let query = parse_export(&served.resources, resource, "").unwrap();
    let plan = ExportPlan::new(&served.resources, &query).unwrap();
    let encoder = plan.encoder(Layout::JsonArray);
    let mut stream = served
        .database
        .stream(plan.statement, encoder, 32 * 1024)
        .await
        .unwrap();
    let (mut body, mut frames) = (Vec::new(), 0);
    while let Some(frame) = stream.next().await {
        let frame = frame.unwrap();
        assert!(frame.len() < 40 * 1024);
        body.extend_from_slice(&frame);
        frames += 1;
    }
    let rows: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 20_000);
    assert_eq!(rows[19_999]["name"], "name 20000");
    assert!(frames > 10, "{frames}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_fails_late_breaks_the_stream() {
    let served = Served::open("CREATE TABLE t(id int PRIMARY KEY)").await;
    // A subquery that gives two rows is an error when it does.
    let failing = "SELECT concat(repeat('x', 1000), (SELECT s.seq FROM seq_1_to_2 AS s WHERE t.seq > 5000 OR s.seq = 1))
         FROM seq_1_to_10000 AS t";
    let mut stream = served
        .database
        .stream(sql(failing), FirstColumn, 4096)
        .await
        .unwrap();
    let mut last = None;
    while let Some(frame) = stream.next().await {
        last = Some(frame);
    }
    assert!(last.unwrap().is_err(), "not an end that looks whole");
    let early = served
        .database
        .stream(sql("SELECT 9223372036854775807 + 1"), FirstColumn, 4096)
        .await;
    assert!(early.unwrap_err().is_value());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changes_under_a_prepared_statement_is_read_on() {
    let served =
        Served::open("CREATE TABLE t(id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 2)")
            .await;
    let text = "SELECT a FROM t";
    for _ in 0..3 {
        served.database.run(sql(text), FirstColumn).await.unwrap();
    }
    served.sql("ALTER TABLE t MODIFY a text; UPDATE t SET a = concat('x', a)");
    let answer = served.database.run(sql(text), FirstColumn).await.unwrap();
    assert_eq!(answer.bytes, b"[x2,]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_unreachable_and_comes_back() {
    let server = paceline_test_servers::MariaDb::start();
    let options = MySqlOptions::new(server.url("mysql").parse().unwrap())
        .query_timeout(Duration::from_secs(2));
    let database = paceline_data::Database::connect_mysql(options)
        .await
        .unwrap();
    database.run(sql("SELECT 7"), FirstColumn).await.unwrap();
    server.kill();
    let error = database
        .run(sql("SELECT 7"), FirstColumn)
        .await
        .unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    assert!(!database.is_readable().await);
    assert!(server.run());
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.run(sql("SELECT 7"), FirstColumn).await.is_err() {
        assert!(Instant::now() < deadline, "it does not come back");
    }
    assert!(database.is_readable().await);
}
