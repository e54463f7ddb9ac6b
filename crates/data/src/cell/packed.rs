//! Rows in bytes: how they are gathered where the engine has no form of its own that loses nothing.
//!
//! A row is the number of its values (two bytes) and the values: a byte for the type, then nothing for `NULL`, the
//! bytes of a number, or four bytes of a length and as many of a text; all numbers little-endian. A blob may be rows
//! gathered beneath.

use super::{Cell, Decimal};

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;
const SINGLE: u8 = 5;
const DECIMAL: u8 = 6;
const JSON: u8 = 7;

/// Begins a row of this many values; `None` when it may not have as many.
pub(crate) fn begin_row(columns: usize, rows: &mut Vec<u8>) -> Option<()> {
    let columns = u16::try_from(columns).ok()?;
    rows.extend_from_slice(&columns.to_le_bytes());
    Some(())
}

/// Writes the next value of a row; `None` when it is longer than can be said.
pub(crate) fn write_cell(cell: Cell<'_>, rows: &mut Vec<u8>) -> Option<()> {
    let mut text = Vec::new();
    let mut fixed = |kind: u8, number: &[u8]| {
        rows.push(kind);
        rows.extend_from_slice(number);
        Some(())
    };
    let (kind, bytes): (u8, &[u8]) = match cell {
        Cell::Null => return fixed(NULL, &[]),
        Cell::Integer(number) => return fixed(INTEGER, &number.to_le_bytes()),
        Cell::Real(number) => return fixed(REAL, &number.to_le_bytes()),
        Cell::Single(number) => return fixed(SINGLE, &number.to_le_bytes()),
        Cell::Text(bytes) => (TEXT, bytes),
        Cell::Blob(bytes) => (BLOB, bytes),
        Cell::Json(bytes) => (JSON, bytes),
        Cell::Decimal(number) => {
            number.write(&mut text);
            (DECIMAL, &text)
        }
        // What encoders make of these is their text.
        Cell::Moment(moment) => {
            text.extend_from_slice(moment.text().as_bytes());
            (TEXT, &text)
        }
        Cell::Uuid(uuid) => {
            text.extend_from_slice(&uuid.text());
            (TEXT, &text)
        }
    };
    let length = u32::try_from(bytes.len()).ok()?;
    rows.push(kind);
    rows.extend_from_slice(&length.to_le_bytes());
    rows.extend_from_slice(bytes);
    Some(())
}

/// Reads the cells of the first row; answers what is behind it, or `None` when it is cut off.
pub(crate) fn read_row<'row>(bytes: &'row [u8], cells: &mut Vec<Cell<'row>>) -> Option<&'row [u8]> {
    let (columns, mut rest) = bytes.split_first_chunk()?;
    for _ in 0..u16::from_le_bytes(*columns) {
        let (kind, behind) = rest.split_first()?;
        let (cell, behind) = read_cell(*kind, behind)?;
        cells.push(cell);
        rest = behind;
    }
    Some(rest)
}

fn read_cell(kind: u8, bytes: &[u8]) -> Option<(Cell<'_>, &[u8])> {
    match kind {
        NULL => return Some((Cell::Null, bytes)),
        INTEGER => {
            let (number, behind) = bytes.split_first_chunk()?;
            return Some((Cell::Integer(i64::from_le_bytes(*number)), behind));
        }
        REAL => {
            let (number, behind) = bytes.split_first_chunk()?;
            return Some((Cell::Real(f64::from_le_bytes(*number)), behind));
        }
        SINGLE => {
            let (number, behind) = bytes.split_first_chunk()?;
            return Some((Cell::Single(f32::from_le_bytes(*number)), behind));
        }
        _ => {}
    }
    let (length, behind) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (value, behind) = behind.split_at_checked(length)?;
    let cell = match kind {
        TEXT => Cell::Text(value),
        BLOB => Cell::Blob(value),
        JSON => Cell::Json(value),
        DECIMAL => Cell::Decimal(Decimal::from_text(value)),
        _ => return None,
    };
    Some((cell, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Moment, Uuid};

    fn cells() -> Vec<(Cell<'static>, Cell<'static>)> {
        let same = |cell| (cell, cell);
        vec![
            same(Cell::Null),
            same(Cell::Integer(i64::MIN)),
            same(Cell::Real(0.1)),
            same(Cell::Single(0.1)),
            same(Cell::Text(b"\xff")),
            same(Cell::Blob(b"")),
            same(Cell::Json(b"{}")),
            same(Cell::Decimal(Decimal::from_text(b"1.50"))),
            (Cell::Moment(Moment::Date(0)), Cell::Text(b"1970-01-01")),
            (
                Cell::Uuid(Uuid([0; 16])),
                Cell::Text(b"00000000-0000-0000-0000-000000000000"),
            ),
        ]
    }

    fn packed() -> Vec<u8> {
        let mut rows = Vec::new();
        let cells = cells();
        begin_row(cells.len(), &mut rows).unwrap();
        for (cell, _) in cells {
            write_cell(cell, &mut rows).unwrap();
        }
        rows
    }

    #[test]
    fn cells_come_back_as_encoders_see_them() {
        let rows = packed();
        let mut found = Vec::new();
        assert_eq!(read_row(&rows, &mut found), Some([].as_slice()));
        let expected: Vec<_> = cells().into_iter().map(|(_, cell)| cell).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let rows = packed();
        for end in 0..rows.len() {
            assert!(read_row(&rows[..end], &mut Vec::new()).is_none());
        }
        assert!(read_row(&[1, 0, 99, 0, 0, 0, 0], &mut Vec::new()).is_none());
        assert!(begin_row(70_000, &mut Vec::new()).is_none());
    }
}
