//! The table that is exported.

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

#[cfg(test)]
mod tests {
    use super::*;

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
