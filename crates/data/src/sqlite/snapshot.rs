//! Statements run on one connection.

use rusqlite::Connection;

use super::error::classify;
use super::guard::Guard;
use super::row::{SqliteRow, bind};
use crate::cell::Row;
use crate::encode::RowEncoder;
use crate::run::{Counters, RunError, encode};
use crate::statement::{Statement, Value};

/// A connection lent to one caller's work.
#[derive(Debug)]
pub(crate) struct Snapshot<'connection> {
    pub(crate) connection: &'connection Connection,
    pub(crate) guard: &'connection Guard,
    pub(crate) counters: &'connection Counters,
}

impl Snapshot<'_> {
    /// Runs a statement and encodes its rows into `out`: `begin`, each row, `end`. Answers the number of
    /// rows.
    ///
    /// # Errors
    /// [`RunError`]; `out` then holds a part, and `end` was not written.
    pub(crate) fn run<E>(
        &mut self,
        statement: &Statement,
        encoder: &mut E,
        out: &mut Vec<u8>,
    ) -> Result<u64, RunError>
    where
        E: RowEncoder + ?Sized,
    {
        encoder.begin(out);
        let rows = self.each(statement, |row| encode(encoder, row, out))?;
        encoder.end(out);
        Ok(rows)
    }

    /// The first column of the first row, if there is a row: a count, a key, a version.
    ///
    /// # Errors
    /// [`RunError`].
    pub(crate) fn value(&mut self, statement: &Statement) -> Result<Option<Value>, RunError> {
        let mut first = None;
        self.each(statement, |row| {
            first.get_or_insert_with(|| Value::from(row.cell(0)));
            Ok(())
        })?;
        Ok(first)
    }

    /// Calls `visit` with each row. Answers the number of rows.
    ///
    /// # Errors
    /// [`RunError`], and what `visit` answers, which ends the statement.
    pub(crate) fn each(
        &mut self,
        statement: &Statement,
        mut visit: impl FnMut(&dyn Row) -> Result<(), RunError>,
    ) -> Result<u64, RunError> {
        self.guard.check()?;
        self.counters.statement();
        let failed = |error| classify(error, self.guard);
        let mut prepared = self
            .connection
            .prepare_cached(&statement.sql)
            .map_err(failed)?;
        bind(&mut prepared, statement).map_err(failed)?;
        let mut cursor = prepared.raw_query();
        let mut rows = 0;
        let outcome = loop {
            match cursor.next() {
                Ok(Some(row)) => {
                    rows += 1;
                    if let Err(error) = visit(&SqliteRow(row)) {
                        break Err(error);
                    }
                }
                Ok(None) => break Ok(rows),
                Err(error) => break Err(failed(error)),
            }
        };
        self.counters.rows(rows);
        outcome
    }

    pub(super) fn is_readable(&mut self) -> Result<bool, RunError> {
        self.guard.check()?;
        let count = "SELECT count(*) FROM sqlite_schema";
        let mut prepared = self
            .connection
            .prepare_cached(count)
            .map_err(|error| classify(error, self.guard))?;
        prepared
            .exists([])
            .map_err(|error| classify(error, self.guard))
    }
}
