//! Related rows in one column of a row, in the form an engine gathers them.

use super::{Cell, Row, packed};
use crate::postgres::record;

/// The related rows in one column, borrowed from the driver's row buffer.
///
/// Their values are the driver's own, as those of any column: nothing was made text on the way.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'row>(Form<'row>);

#[derive(Debug, Clone, Copy)]
enum Form<'row> {
    None,
    /// Rows in our own form, as our function gathers them in SQLite.
    Packed(&'row [u8]),
    /// An array of records, as PostgreSQL sends it.
    Records(&'row [u8]),
}

/// Related rows are cut off, or have not the form they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("related rows have not the form that was asked for")]
pub struct MalformedRows;

impl<'row> Rows<'row> {
    /// None.
    pub fn none() -> Self {
        Self(Form::None)
    }

    /// The rows in a blob of our own form.
    pub(crate) fn packed(cell: Cell<'row>) -> Self {
        match cell {
            Cell::Blob(bytes) => Self(Form::Packed(bytes)),
            _ => Self::none(),
        }
    }

    /// The rows in a cell of PostgreSQL.
    pub(crate) fn records(cell: Cell<'row>) -> Self {
        match cell {
            Cell::Blob(bytes) => Self(Form::Records(bytes)),
            _ => Self::none(),
        }
    }

    /// Shows each row, in their order, until `visit` fails.
    ///
    /// # Errors
    /// What `visit` answers, or [`MalformedRows`].
    pub fn each<E: From<MalformedRows>>(
        self,
        mut visit: impl FnMut(&dyn Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut rest, read): (&[u8], ReadRow<'row>) = match self.0 {
            Form::None => return Ok(()),
            Form::Packed(bytes) => (bytes, packed::read_row),
            Form::Records(bytes) => (
                record::elements(bytes).ok_or(MalformedRows)?,
                record::read_row,
            ),
        };
        let mut row = Unpacked {
            cells: Vec::new(),
            form: self.0,
        };
        while !rest.is_empty() {
            row.cells.clear();
            rest = read(rest, &mut row.cells).ok_or(MalformedRows)?;
            visit(&row)?;
        }
        Ok(())
    }
}

/// Reads the cells of the next row; answers what is behind it.
type ReadRow<'row> = fn(&'row [u8], &mut Vec<Cell<'row>>) -> Option<&'row [u8]>;

/// One related row: its cells, all of which lie in the buffer.
#[derive(Debug)]
struct Unpacked<'row> {
    cells: Vec<Cell<'row>>,
    form: Form<'row>,
}

impl Row for Unpacked<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        self.cells[index]
    }

    fn rows(&self, index: usize) -> Rows<'_> {
        match self.form {
            Form::None => Rows::none(),
            Form::Packed(_) => Rows::packed(self.cells[index]),
            Form::Records(_) => Rows::records(self.cells[index]),
        }
    }
}
