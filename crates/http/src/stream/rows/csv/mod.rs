//! Rows as CSV (RFC 4180): lines that end with CR LF, the first with the names of the columns.
//!
//! Columns are the fields of the row; those of structs and maps in it are joined with a dot (`author.name`).
//! Other nested values are JSON text. The first row says which columns there are, unless they are given.

mod cells;
mod compound;
mod field;
mod json_text;

use serde::Serialize;

use self::cells::{Cell, Cells, CsvError};

/// Writes rows, and the header before the first.
#[derive(Debug, Default)]
pub(super) struct Csv {
    columns: Vec<Box<str>>,
    /// The columns were given: other fields are left out.
    chosen: bool,
    begun: bool,
    unguarded: bool,
    cells: Cells,
}

impl Csv {
    pub(super) fn set_columns(&mut self, columns: Vec<Box<str>>) {
        self.columns = columns;
        self.chosen = true;
    }

    pub(super) fn set_guarded(&mut self, guarded: bool) {
        self.unguarded = !guarded;
    }

    /// The header, if it is known without a row.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        if self.chosen {
            self.write_header(out);
        }
    }

    pub(super) fn row<T: Serialize + ?Sized>(
        &mut self,
        row: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), CsvError> {
        self.cells.read(row)?;
        if !self.begun {
            self.columns = self.cells.iter().map(|(name, _)| name.into()).collect();
            self.write_header(out);
        }
        if self.is_in_order() {
            let cells = self.cells.iter().map(|(_, cell)| Some(cell));
            write_line(cells, !self.unguarded, out);
            return Ok(());
        }
        if let Some(name) = self.stray() {
            return Err(CsvError::stray(name));
        }
        let cells = self.columns.iter().map(|column| self.cells.get(column));
        write_line(cells, !self.unguarded, out);
        Ok(())
    }

    fn write_header(&mut self, out: &mut Vec<u8>) {
        self.begun = true;
        let names = self.columns.iter().map(|name| Some(Cell::Text(name)));
        write_line(names, !self.unguarded, out);
    }

    /// Whether the row has exactly the columns, as rows of one struct do.
    fn is_in_order(&self) -> bool {
        self.cells.len() == self.columns.len()
            && self
                .columns
                .iter()
                .zip(self.cells.iter())
                .all(|(column, (name, _))| **column == *name)
    }

    /// A value that has no column, though columns were not chosen: leaving it out would lose it.
    fn stray(&self) -> Option<&str> {
        let is_stray = |name: &str, cell: Cell<'_>| {
            cell != Cell::Nothing && self.columns.iter().all(|column| **column != *name)
        };
        let mut cells = self.cells.iter().filter(|_| !self.chosen);
        cells
            .find(|(name, cell)| is_stray(name, *cell))
            .map(|(name, _)| name)
    }
}

fn write_line<'a>(cells: impl Iterator<Item = Option<Cell<'a>>>, guarded: bool, out: &mut Vec<u8>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match cell {
            None | Some(Cell::Nothing) => {}
            Some(Cell::Number(number)) => out.extend_from_slice(number.as_bytes()),
            Some(Cell::Text(text)) => field::write_text(text, guarded, out),
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
