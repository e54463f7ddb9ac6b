//! The table that is exported, and the shop as the tutorial would have it.

use std::path::Path;

use rusqlite::Connection;

use crate::Outcome;

/// Makes a file with one table `people` of `rows` rows.
pub(super) fn make_export(path: &Path, rows: u32) -> Outcome<()> {
    let make = || -> rusqlite::Result<()> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, created_at TEXT NOT NULL);",
        )?;
        connection.execute(
            "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
             INSERT INTO people
             SELECT n, 'Person number ' || n, 'person.' || n || '@example.com', strftime('%Y-%m-%dT%H:%M:%SZ', 1700000000 + n, 'unixepoch')
             FROM number",
            [rows],
        )?;
        Ok(())
    };
    make().map_err(|error| format!("{}: {error}", path.display()))
}

/// Copies a database and drops the indexes that were made by `CREATE INDEX`.
pub(super) fn copy_without_indexes(shop: &Path, copy: &Path) -> Outcome<()> {
    let make = || -> rusqlite::Result<()> {
        let path = copy.to_string_lossy();
        Connection::open(shop)?.execute("VACUUM INTO ?1", [path.as_ref()])?;
        let connection = Connection::open(copy)?;
        let drops: Option<String> = connection.query_row(
            "SELECT group_concat(format('DROP INDEX \"%w\";', name), ' ')
             FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        connection.execute_batch(&drops.unwrap_or_default())
    };
    make().map_err(|error| format!("{}: {error}", copy.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_the_rows_and_no_index_that_was_made_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let (shop, copy) = (folder.path().join("a.db"), folder.path().join("b.db"));
        Connection::open(&shop)
            .unwrap()
            .execute_batch(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT UNIQUE, age INTEGER);
                 CREATE INDEX \"by \"\"age\" ON t(age); INSERT INTO t VALUES (1, 'a', 2);",
            )
            .unwrap();
        copy_without_indexes(&shop, &copy).unwrap();
        let count = |sql: &str| -> i64 {
            let connection = Connection::open(&copy).unwrap();
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count("SELECT count(*) FROM t"), 1);
        assert_eq!(
            count("SELECT count(*) FROM sqlite_schema WHERE type = 'index'"),
            1
        );
    }

    #[test]
    fn the_export_has_the_rows_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.db");
        make_export(&path, 1000).unwrap();
        let connection = Connection::open(&path).unwrap();
        let count: i64 = connection
            .query_row("SELECT count(*) FROM people", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 1000);
    }
}
