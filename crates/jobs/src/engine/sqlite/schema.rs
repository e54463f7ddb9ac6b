//! The tables, and who may use them: `paceline_schema` holds their version. A file of the engine's own is
//! marked by its `application_id`; another application's file takes the tables only when asked to.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::error::OpenError;

/// The latest schema known here. The earlier ones were never released.
const VERSION: i64 = 3;
/// "PLJB": Paceline jobs.
const APPLICATION_ID: i64 = 0x504C_4A42;

/// Creates or checks the tables. Safe when several processes open the file at once. `shared`: they may
/// stand beside the tables of an application.
pub(super) fn prepare(
    connection: &mut Connection,
    path: &Path,
    shared: bool,
) -> Result<(), OpenError> {
    let storage = |error: rusqlite::Error| OpenError::Storage {
        path: path.to_owned(),
        source: error.into(),
    };
    if stored_version(connection).map_err(storage)? == Some(VERSION) {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(storage)?;
    // Read again under the write lock: another process may have been faster.
    match stored_version(&transaction).map_err(storage)? {
        Some(VERSION) => return Ok(()),
        Some(found) if found > VERSION => {
            return Err(OpenError::SchemaTooNew {
                found,
                known: VERSION,
            });
        }
        Some(found) => return Err(OpenError::SchemaTooOld { found }),
        None => {}
    }
    let is_free = is_free(&transaction).map_err(storage)?;
    if !is_free && !shared {
        return Err(OpenError::ForeignFile {
            path: path.to_owned(),
        });
    }
    create(&transaction, is_free).map_err(storage)?;
    transaction.commit().map_err(storage)
}

fn create(connection: &Connection, own_file: bool) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.execute("INSERT INTO paceline_schema VALUES (?1)", [VERSION])?;
    if own_file {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(())
}

/// The version of the tables; none when there are none.
fn stored_version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'paceline_schema'";
    if connection.prepare(table)?.exists([])? {
        let version = "SELECT version FROM paceline_schema";
        return connection
            .query_row(version, [], |row| row.get(0))
            .optional();
    }
    let first = read_pragma(connection, "application_id")? == APPLICATION_ID
        && read_pragma(connection, "user_version")? == 1;
    Ok(first.then_some(1))
}

/// Whether nobody uses the file yet.
fn is_free(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0
        && read_pragma(connection, "application_id")? == 0
        && read_pragma(connection, "user_version")? == 0)
}

fn read_pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// How SQLite would run `sql` on empty tables.
#[cfg(test)]
pub(super) fn plan_of(sql: &str) -> String {
    let mut connection = Connection::open_in_memory().unwrap();
    prepare(&mut connection, Path::new("jobs.db"), false).unwrap();
    let mut explain = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let values = rusqlite::params_from_iter(vec![1; explain.parameter_count()]);
    let steps = explain.query_map(values, |row| row.get::<_, String>(3));
    let steps: Vec<String> = steps.unwrap().collect::<Result<_, _>>().unwrap();
    steps.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(setup: &str, shared: bool, expected: Result<(), &str>) {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(setup).unwrap();
        let answer =
            prepare(&mut connection, Path::new("jobs.db"), shared).map_err(|e| e.to_string());
        match expected {
            Ok(()) => answer.unwrap(),
            Err(part) => assert!(
                answer.as_ref().is_err_and(|m| m.contains(part)),
                "{answer:?}"
            ),
        }
    }

    #[test]
    fn only_our_own_files_up_to_our_version_are_opened() {
        check("", false, Ok(()));
        check("CREATE TABLE shop (id)", false, Err("another application"));
        check("CREATE TABLE shop (id)", true, Ok(()));
        check("PRAGMA user_version = 3", false, Err("another application"));
        check(
            "PRAGMA application_id = 0x504C4A42; PRAGMA user_version = 1",
            false,
            Err("schema version 1"),
        );
        check(
            "CREATE TABLE paceline_schema (version); INSERT INTO paceline_schema VALUES (4)",
            true,
            Err("schema version 4, this program knows up to 3"),
        );
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection, Path::new("jobs.db"), false).unwrap();
        prepare(&mut connection, Path::new("jobs.db"), false).unwrap();
    }
}
