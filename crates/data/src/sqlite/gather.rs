//! `paceline_rows(...)`: gathers rows into one value without changing theirs.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::{Connection, Error, Result};

use super::row::cell;
use crate::cell::packed;
use crate::run::LARGEST_ANSWER;

/// The function's name.
pub(crate) const NAME: &str = "paceline_rows";

/// Makes the function known to a connection: statements that show lists of related rows need it.
///
/// # Errors
/// What SQLite answers.
pub fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_aggregate_function(NAME, -1, flags, Gather)
}

/// The aggregate behind the function.
struct Gather;

impl Aggregate<Vec<u8>, Vec<u8>> for Gather {
    fn init(&self, _: &mut Context<'_>) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, rows: &mut Vec<u8>) -> Result<()> {
        packed::begin_row(context.len(), rows)
            .ok_or(Error::InvalidParameterCount(context.len(), 0))?;
        for index in 0..context.len() {
            packed::write_cell(cell(context.get_raw(index)), rows).ok_or_else(too_large)?;
        }
        if rows.len() > LARGEST_ANSWER {
            return Err(too_large());
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, rows: Option<Vec<u8>>) -> Result<Vec<u8>> {
        Ok(rows.unwrap_or_default())
    }
}

/// More than an answer may hold.
fn too_large() -> Error {
    let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
    Error::SqliteFailure(failure, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Cell, packed::read_row};

    fn gathered(values: &str) -> Vec<u8> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let sql = format!("SELECT paceline_rows(column1, column2) FROM (VALUES {values})");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn values_come_back_as_they_were() {
        let bytes =
            gathered("(9223372036854775807, 0.1), (NULL, x'00ff'), ('', cast(x'ff41' AS TEXT))");
        let mut rest = bytes.as_slice();
        for expected in [
            [Cell::Integer(i64::MAX), Cell::Real(0.1)],
            [Cell::Null, Cell::Blob(b"\x00\xff")],
            [Cell::Text(b""), Cell::Text(b"\xffA")],
        ] {
            let mut cells = Vec::new();
            rest = read_row(rest, &mut cells).unwrap();
            assert_eq!(cells, expected);
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn no_rows_are_no_bytes() {
        assert!(gathered("(1, 2)").len() > 1);
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let sql = "SELECT paceline_rows(1) WHERE 1 = 0";
        let bytes: Vec<u8> = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert!(bytes.is_empty());
    }

    #[test]
    fn what_is_larger_than_an_answer_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let sql = "SELECT length(paceline_rows(zeroblob(40000000))) FROM (VALUES (1), (2))";
        let refused = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let code = refused.unwrap_err().sqlite_error_code();
        assert_eq!(code, Some(rusqlite::ErrorCode::TooBig));
    }
}
