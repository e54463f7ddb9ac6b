//! Rows of text in this crate's terms.

use tokio_postgres::types::Type;

use super::moment;
use super::result::{NeonField, NeonRow};
use crate::cell::{Cell, Decimal, Row, Rows, Uuid};

/// How the text of a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Boolean,
    Integer,
    Single,
    Double,
    Numeric,
    Text,
    Json,
    Date,
    Time,
    Civil,
    Instant,
    Uuid,
    Bytes,
}

impl Reader {
    /// The readers of a result's columns. Plans ask for the types of the first lines only; others are text.
    pub(super) fn of(fields: &[NeonField]) -> Vec<Self> {
        let reader = |field: &NeonField| match Type::from_oid(field.type_oid) {
            Some(Type::BOOL) => Self::Boolean,
            Some(Type::INT2 | Type::INT4 | Type::INT8 | Type::OID) => Self::Integer,
            Some(Type::FLOAT4) => Self::Single,
            Some(Type::FLOAT8) => Self::Double,
            Some(Type::NUMERIC) => Self::Numeric,
            Some(Type::JSON | Type::JSONB) => Self::Json,
            Some(Type::DATE) => Self::Date,
            Some(Type::TIME) => Self::Time,
            Some(Type::TIMESTAMP) => Self::Civil,
            Some(Type::TIMESTAMPTZ) => Self::Instant,
            Some(Type::UUID) => Self::Uuid,
            Some(Type::BYTEA) => Self::Bytes,
            _ => Self::Text,
        };
        fields.iter().map(reader).collect()
    }

    /// The value in this text; nothing when it is not written as the type's values are.
    fn read(self, text: &str) -> Option<Value<'_>> {
        Some(Value::Cell(match self {
            Self::Boolean => Cell::Integer(match text {
                "t" => 1,
                "f" => 0,
                _ => return None,
            }),
            Self::Integer => Cell::Integer(text.parse().ok()?),
            // `NaN`, `Infinity` and `-Infinity` are what Rust reads too.
            Self::Single => Cell::Single(text.parse().ok()?),
            Self::Double => Cell::Real(text.parse().ok()?),
            Self::Numeric => Cell::Decimal(Decimal::from_text(text.as_bytes())),
            Self::Text => Cell::Text(text.as_bytes()),
            Self::Json => Cell::Json(text.as_bytes()),
            Self::Date | Self::Civil | Self::Instant if text.ends_with("infinity") => {
                Cell::Text(text.as_bytes())
            }
            Self::Date => Cell::Moment(moment::date(text)?),
            Self::Time => Cell::Moment(moment::time(text)?),
            Self::Civil => Cell::Moment(moment::civil(text)?),
            Self::Instant => Cell::Moment(moment::instant(text)?),
            Self::Uuid => Cell::Uuid(uuid(text)?),
            Self::Bytes => return Some(Value::Bytes(bytes(text)?)),
        }))
    }
}

/// A value, read.
#[derive(Debug, PartialEq)]
enum Value<'a> {
    Cell(Cell<'a>),
    /// Bytes stand in hexadecimal digits.
    Bytes(Vec<u8>),
}

/// A row, read.
#[derive(Debug)]
pub(super) struct TextRow<'a>(Vec<Value<'a>>);

/// A value is not written as its type's values are: the role has settings that say so (`DateStyle`, `bytea_output`).
#[derive(Debug, thiserror::Error)]
#[error(
    "a value of the column {0:?} is not written as PostgreSQL does by default: leave DateStyle and bytea_output of the \
     role as they come"
)]
pub(super) struct UnusualText(String);

impl<'a> TextRow<'a> {
    pub(super) fn read(
        row: NeonRow<'a>,
        readers: &[Reader],
        fields: &[NeonField],
    ) -> Result<Self, UnusualText> {
        let value = |(index, reader): (usize, &Reader)| match row.text(index) {
            None => Ok(Value::Cell(Cell::Null)),
            Some(text) => reader
                .read(text)
                .ok_or_else(|| UnusualText(fields[index].name.clone())),
        };
        readers
            .iter()
            .enumerate()
            .map(value)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Row for TextRow<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        match &self.0[index] {
            Value::Cell(cell) => *cell,
            Value::Bytes(bytes) => Cell::Blob(bytes),
        }
    }

    /// They come in the bytes that a driver would be sent.
    fn rows(&self, index: usize) -> Rows<'_> {
        Rows::records(self.cell(index))
    }
}

fn uuid(text: &str) -> Option<Uuid> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    Some(Uuid(hexadecimal(&digits)?.try_into().ok()?))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    hexadecimal(text.strip_prefix("\\x")?)
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let pair = |pair: &[u8; 2]| {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()
    };
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Moment;

    #[test]
    fn texts_become_cells() {
        let check = |reader: Reader, text: &str, expected: Option<Value<'_>>| {
            assert_eq!(reader.read(text), expected, "{reader:?} {text}");
        };
        let cell = |cell| Some(Value::Cell(cell));
        check(Reader::Boolean, "t", cell(Cell::Integer(1)));
        check(Reader::Boolean, "true", None);
        check(
            Reader::Integer,
            "-9223372036854775808",
            cell(Cell::Integer(i64::MIN)),
        );
        check(Reader::Single, "0.1", cell(Cell::Single(0.1)));
        check(
            Reader::Double,
            "-Infinity",
            cell(Cell::Real(f64::NEG_INFINITY)),
        );
        check(
            Reader::Date,
            "1970-01-02",
            cell(Cell::Moment(Moment::Date(1))),
        );
        check(Reader::Date, "-infinity", cell(Cell::Text(b"-infinity")));
        check(Reader::Date, "02.01.1970", None);
        check(Reader::Bytes, "\\x00ff", Some(Value::Bytes(vec![0, 255])));
        check(Reader::Bytes, "\\x0", None);
        check(Reader::Bytes, "abc", None);
        let zero = "00000000-0000-0000-0000-000000000001";
        let mut one = [0; 16];
        one[15] = 1;
        check(Reader::Uuid, zero, cell(Cell::Uuid(Uuid(one))));
    }
}
