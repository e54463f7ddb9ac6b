//! Opening a file: what is refused, and that reading leaves no trace.

use std::time::Duration;

use paceline_data::Database;
use paceline_data::sqlite::{Access, OpenError, SqliteOptions};

use crate::files::{File, FirstColumn, sql};

fn refused(options: &SqliteOptions) -> OpenError {
    Database::open(options).expect_err("it must not open")
}

#[test]
fn a_missing_file_is_an_error_and_not_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let path = folder.path().join("absent.db");
        let error = refused(&SqliteOptions::new(&path).access(access));
        assert!(error.is_missing());
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert!(!path.exists());
    }
}

#[test]
fn what_is_not_a_database_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(&SqliteOptions::new(folder.path()));
    assert!(error.to_string().contains("is a directory"), "{error}");

    let path = folder.path().join("text.db");
    std::fs::write(&path, "name,email\n".repeat(1000)).unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let error = refused(&SqliteOptions::new(&path).access(access));
        assert!(error.is_not_a_database(), "{error:?}");
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "name,email\n".repeat(1000)
    );
}

#[test]
fn a_locked_file_says_so() {
    let file = File::new("CREATE TABLE t(x)");
    let other = file.connect();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let options = SqliteOptions::new(file.path()).query_timeout(Duration::from_millis(1));
    assert!(refused(&options).is_locked());
}

#[test]
fn a_path_is_only_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("file:x?mode=memory");
    assert!(refused(&SqliteOptions::new(&name)).is_missing());
    assert!(refused(&SqliteOptions::new(":memory:")).is_missing());
}

#[tokio::test]
async fn reading_leaves_the_file_and_its_folder_as_they_were() {
    let file = File::new("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2)");
    let before = (std::fs::read(file.path()).unwrap(), file.listing());
    let database = Database::open(&SqliteOptions::new(file.path())).unwrap();
    let tables: Vec<_> = database
        .catalog()
        .tables()
        .iter()
        .map(|table| table.id)
        .collect();
    assert!(database.stamp(&tables).is_some());
    let answer = database
        .run(sql("SELECT x FROM t ORDER BY x DESC"), FirstColumn)
        .await
        .unwrap();
    assert_eq!(answer.bytes, b"[2,1,]");
    let refused = database.run(sql("DELETE FROM t"), FirstColumn).await;
    assert!(refused.is_err(), "readers cannot write");
    assert_eq!(file.listing(), before.1, "while it is open");
    database.close();
    drop(database);
    assert_eq!(
        (std::fs::read(file.path()).unwrap(), file.listing()),
        before
    );
}

#[tokio::test]
async fn a_file_in_wal_mode_can_be_read() {
    let file = File::new("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)");
    let database = Database::open(&SqliteOptions::new(file.path())).unwrap();
    let answer = database
        .run(sql("SELECT x FROM t"), FirstColumn)
        .await
        .unwrap();
    assert_eq!(answer.bytes, b"[1,]");
}

#[tokio::test]
async fn health_follows_the_file() {
    let file = File::new("CREATE TABLE t(x)");
    let options = SqliteOptions::new(file.path()).query_timeout(Duration::from_millis(200));
    let database = Database::open(&options).unwrap();
    assert!(database.is_readable().await);
    let other = file.connect();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(!database.is_readable().await, "locked");
    assert!(
        database.stamp(&[]).is_none(),
        "no stamp can be told while it is locked"
    );
    other.execute_batch("ROLLBACK").unwrap();
    assert!(database.is_readable().await);
    database.close();
    assert!(!database.is_readable().await, "closed");
    assert!(
        database
            .run(sql("SELECT 1"), FirstColumn)
            .await
            .unwrap_err()
            .is_stopped()
    );
}
