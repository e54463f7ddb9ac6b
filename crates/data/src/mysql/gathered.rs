//! Related rows, which the server gathers as JSON: brought into the packed form that encoders read.
//!
//! Each value is a text whose first letter says what it was ([`SqlDialect::gathered_cell`](crate::SqlDialect)), each
//! row a list of them, and rows beneath are a list or, where the server takes one for a text, a text that begins with
//! a bracket.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::row::Reader;
use crate::cell::{Cell, Rows, packed};

/// The related rows of one row, by their column, once they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Related(OnceCell<Vec<OnceCell<Vec<u8>>>>);

impl Related {
    /// The related rows in `cell`, the one at `index` of so many columns.
    pub(crate) fn rows(&self, index: usize, columns: usize, cell: Cell<'_>) -> Rows<'_> {
        let (Cell::Text(json) | Cell::Json(json) | Cell::Blob(json)) = cell else {
            return Rows::none();
        };
        let all = self
            .0
            .get_or_init(|| (0..columns).map(|_| OnceCell::new()).collect());
        let rows = all[index].get_or_init(|| packed(json).unwrap_or_else(|| CUT_OFF.to_vec()));
        Rows::packed(Cell::Blob(rows))
    }
}

/// The begin of a row, and no more: whoever reads it says that it is malformed.
const CUT_OFF: &[u8] = &[1];

/// What stands in a row.
enum Entry<'text> {
    Null,
    Text(Cow<'text, str>),
    Rows(Vec<Vec<Entry<'text>>>),
}

/// The rows in packed form; `None` when the text is cut off, or holds something else.
fn packed(json: &[u8]) -> Option<Vec<u8>> {
    let rows: Vec<Vec<Entry<'_>>> = serde_json::from_slice(json).ok()?;
    let mut bytes = Vec::new();
    pack(&rows, &mut bytes)?;
    Some(bytes)
}

fn pack(rows: &[Vec<Entry<'_>>], bytes: &mut Vec<u8>) -> Option<()> {
    for row in rows {
        packed::begin_row(row.len(), bytes)?;
        for entry in row {
            match entry {
                Entry::Null => packed::write_cell(Cell::Null, bytes)?,
                Entry::Text(text) if text.starts_with('[') => {
                    let beneath = self::packed(text.as_bytes())?;
                    packed::write_cell(Cell::Blob(&beneath), bytes)?;
                }
                Entry::Text(text) => value(text, bytes)?,
                Entry::Rows(rows) => {
                    let mut beneath = Vec::new();
                    pack(rows, &mut beneath)?;
                    packed::write_cell(Cell::Blob(&beneath), bytes)?;
                }
            }
        }
    }
    Some(())
}

/// One value, by its letter.
fn value(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let (letter, rest) = text.split_at_checked(1)?;
    let reader = match letter {
        "i" => Reader::Integer,
        "r" => Reader::Double,
        "s" => Reader::Single,
        "d" => Reader::Decimal,
        "D" => Reader::Date,
        "C" => Reader::Civil,
        "I" => Reader::Instant,
        "T" => Reader::Time,
        "j" => Reader::Json,
        "t" => Reader::Text,
        "b" => return packed::write_cell(Cell::Blob(&unhexed(rest)?), bytes),
        _ => return None,
    };
    match reader.read_bytes(rest.as_bytes()) {
        Ok(cell) => packed::write_cell(cell, bytes),
        Err(told) => packed::write_cell(reader.told(&told), bytes),
    }
}

fn unhexed(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

impl<'de: 'text, 'text> Deserialize<'de> for Entry<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Entry<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, null, or rows")
            }

            fn visit_unit<E>(self) -> Result<Entry<'de>, E> {
                Ok(Entry::Null)
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Entry<'de>, E> {
                Ok(Entry::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Entry<'de>, E> {
                Ok(Entry::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Entry<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(row) = rows.next_element()? {
                    all.push(row);
                }
                Ok(Entry::Rows(all))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Decimal;

    /// The cells of all rows.
    fn cells(bytes: &[u8]) -> Vec<Cell<'_>> {
        let (mut rest, mut cells) = (bytes, Vec::new());
        while !rest.is_empty() {
            rest = packed::read_row(rest, &mut cells).unwrap();
        }
        cells
    }

    #[test]
    fn values_are_what_their_letters_say() {
        let json = br#"[["i7","i18446744073709551615","d1.50","s0.10000000149011612",null],
            ["I2026-01-31 10:00:00.500000","D0000-00-00","tit\u0027s \"i7\"","b00FF","j{\"a\":1}"]]"#;
        let bytes = packed(json).unwrap();
        let expected = [
            Cell::Integer(7),
            Cell::Decimal(Decimal::from_text(b"18446744073709551615")),
            Cell::Decimal(Decimal::from_text(b"1.50")),
            Cell::Single(0.1),
            Cell::Null,
            Cell::Text(b"2026-01-31T10:00:00.5Z"),
            Cell::Text(b"0000-00-00"),
            Cell::Text(b"it's \"i7\""),
            Cell::Blob(b"\x00\xff"),
            Cell::Json(b"{\"a\":1}"),
        ];
        assert_eq!(cells(&bytes), expected);
    }

    #[test]
    fn rows_beneath_come_as_lists_or_as_text() {
        let beneath = packed(br#"[["i1"],["i2"]]"#).unwrap();
        for json in [
            &br#"[["i7",[["i1"],["i2"]]]]"#[..],
            br#"[["i7","[[\"i1\"],[\"i2\"]]"]]"#,
        ] {
            let bytes = packed(json).unwrap();
            assert_eq!(cells(&bytes), [Cell::Integer(7), Cell::Blob(&beneath)]);
        }
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        for json in [
            "",
            "[[\"i7\"",
            "{}",
            "[[\"x7\"]]",
            "[[\"\"]]",
            "[[\"bA\u{e9}\"]]",
            "[[5]]",
        ] {
            assert!(packed(json.as_bytes()).is_none(), "{json}");
        }
    }
}
