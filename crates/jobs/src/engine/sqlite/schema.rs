//! The tables, and who may use them: `application_id` marks the file as ours, `user_version` its schema.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;

/// The latest schema known here.
const VERSION: i64 = 1;
/// "PLJB": Paceline jobs.
const APPLICATION_ID: i64 = 0x504C_4A42;

/// Creates or checks the tables. Safe when several processes open the file at once.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let storage = |error: rusqlite::Error| OpenError::Storage {
        path: path.to_owned(),
        source: error.into(),
    };
    let version = read_pragma(connection, "user_version").map_err(storage)?;
    if version == VERSION
        && read_pragma(connection, "application_id").map_err(storage)? == APPLICATION_ID
    {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(storage)?;
    // Read again under the write lock: another process may have been faster.
    let version = read_pragma(&transaction, "user_version").map_err(storage)?;
    let owner = read_pragma(&transaction, "application_id").map_err(storage)?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(storage)?;
    if owner != APPLICATION_ID && (owner != 0 || version != 0 || tables != 0) {
        return Err(OpenError::ForeignFile {
            path: path.to_owned(),
        });
    }
    if version > VERSION {
        return Err(OpenError::SchemaTooNew {
            found: version,
            known: VERSION,
        });
    }
    if version == 0 {
        transaction
            .execute_batch(include_str!("schema.sql"))
            .map_err(storage)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(storage)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(storage)?;
    }
    transaction.commit().map_err(storage)
}

fn read_pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(setup: &str, expected: Result<(), &str>) {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(setup).unwrap();
        let answer = prepare(&mut connection, Path::new("jobs.db")).map_err(|e| e.to_string());
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
        check("", Ok(()));
        check("CREATE TABLE shop (id)", Err("another application"));
        check("PRAGMA user_version = 3", Err("another application"));
        check(
            "PRAGMA application_id = 0x504C4A42; PRAGMA user_version = 2",
            Err("schema version 2, this program knows up to 1"),
        );
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        prepare(&mut connection, Path::new("jobs.db")).unwrap();
        prepare(&mut connection, Path::new("jobs.db")).unwrap();
    }
}
