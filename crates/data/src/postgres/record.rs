//! Related rows as the server sends them: an array of records in binary, each value in the form its type has in a
//! column.

use tokio_postgres::types::Type;

use super::row::Reader;
use crate::cell::Cell;

/// The elements of an array: what is behind its header; `None` when it has none of one dimension.
pub(crate) fn elements(array: &[u8]) -> Option<&[u8]> {
    let (dimensions, rest) = number(array)?;
    // Whether there are `NULL`s among the elements, and their type.
    let (_, rest) = number(rest)?;
    let (_, rest) = number(rest)?;
    match dimensions {
        0 => Some(rest),
        1 => {
            let (_, rest) = number(rest)?;
            let (_, rest) = number(rest)?;
            Some(rest)
        }
        _ => None,
    }
}

/// Reads the cells of the first record; answers what is behind it, or `None` when it is cut off.
pub(crate) fn read_row<'row>(bytes: &'row [u8], cells: &mut Vec<Cell<'row>>) -> Option<&'row [u8]> {
    let (record, behind) = sized(bytes)?;
    let (columns, mut rest) = number(record?)?;
    for _ in 0..columns {
        let (kind, value) = number(rest)?;
        let (value, next) = sized(value)?;
        let kind = Type::from_oid(kind.cast_unsigned()).unwrap_or(Type::BYTEA);
        cells.push(match value {
            Some(value) => Reader::of(&kind).read(value)?,
            None => Cell::Null,
        });
        rest = next;
    }
    rest.is_empty().then_some(behind)
}

fn number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((i32::from_be_bytes(*number), rest))
}

/// A length and as many bytes; a negative length is `NULL`.
fn sized(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = number(bytes)?;
    match usize::try_from(length) {
        Ok(length) => {
            let (value, rest) = rest.split_at_checked(length)?;
            Some((Some(value), rest))
        }
        Err(_) => Some((None, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ARRAY[ROW(7::int4, NULL::text)]`.
    fn array() -> Vec<u8> {
        let mut record = Vec::new();
        for number in [2_i32, 23, 4, 7, 25, -1] {
            record.extend_from_slice(&number.to_be_bytes());
        }
        let mut array = Vec::new();
        let length = i32::try_from(record.len()).unwrap();
        for number in [1_i32, 0, 2249, 1, 1, length] {
            array.extend_from_slice(&number.to_be_bytes());
        }
        [array, record].concat()
    }

    #[test]
    fn records_become_cells() {
        let array = array();
        let mut cells = Vec::new();
        let rest = read_row(elements(&array).unwrap(), &mut cells).unwrap();
        assert!(rest.is_empty());
        assert_eq!(cells, [Cell::Integer(7), Cell::Null]);
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let array = array();
        for end in 0..array.len() {
            let rows = elements(&array[..end]);
            assert!(rows.is_none_or(|rows| read_row(rows, &mut Vec::new()).is_none()));
        }
    }

    #[test]
    fn an_empty_array_has_no_dimensions() {
        let mut array = Vec::new();
        for number in [0_i32, 0, 2249] {
            array.extend_from_slice(&number.to_be_bytes());
        }
        assert_eq!(elements(&array), Some([].as_slice()));
    }
}
