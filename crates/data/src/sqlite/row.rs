//! The driver's rows and parameters in this crate's terms.

use rusqlite::types::ValueRef;

use crate::cell::{Cell, Row, Rows};
use crate::statement::Statement;

/// A row of the driver, read in place.
pub(crate) struct SqliteRow<'row, 'statement>(pub(crate) &'row rusqlite::Row<'statement>);

impl Row for SqliteRow<'_, '_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        cell(self.0.get_ref_unwrap(index))
    }

    fn rows(&self, index: usize) -> Rows<'_> {
        Rows::packed(self.cell(index))
    }
}

/// A value of the driver.
pub(super) fn cell(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) => Cell::Text(bytes),
        ValueRef::Blob(bytes) => Cell::Blob(bytes),
    }
}

/// Binds the values to `?1`, `?2`, …
pub(crate) fn bind(
    prepared: &mut rusqlite::Statement<'_>,
    statement: &Statement,
) -> rusqlite::Result<()> {
    for (index, value) in statement.values.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}
