//! The driver's rows in this crate's terms, read from its buffer in place.

use std::error::Error;

use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Column, Row as DriverRow};

use crate::cell::{Cell, Decimal, Moment, Row, Rows, Uuid};

/// Days and microseconds from 1970 to 2000, where PostgreSQL begins to count.
const DAYS: i32 = 10_957;
const MICROSECONDS: i64 = 946_684_800_000_000;

/// How the bytes of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Boolean,
    Small,
    Medium,
    Large,
    ObjectId,
    Single,
    Double,
    Numeric,
    Text,
    Json,
    BinaryJson,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
    Bytes,
}

impl Reader {
    /// The readers of a row's columns.
    pub(super) fn of_columns(columns: &[Column]) -> Vec<Self> {
        let readers = columns.iter().map(|column| Self::of(column.type_()));
        readers.collect()
    }

    /// The reader of a type. Plans ask for these only; the bytes of another one are passed on.
    pub(super) fn of(kind: &Type) -> Self {
        match *kind {
            Type::BOOL => Self::Boolean,
            Type::INT2 => Self::Small,
            Type::INT4 => Self::Medium,
            Type::INT8 => Self::Large,
            Type::OID => Self::ObjectId,
            Type::FLOAT4 => Self::Single,
            Type::FLOAT8 => Self::Double,
            Type::NUMERIC => Self::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Self::Text,
            Type::JSON => Self::Json,
            Type::JSONB => Self::BinaryJson,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMESTAMP => Self::Timestamp,
            Type::TIMESTAMPTZ => Self::TimestampTz,
            Type::UUID => Self::Uuid,
            _ => Self::Bytes,
        }
    }

    /// The cell in these bytes; `None` when they are not of the length the type has.
    pub(super) fn read(self, bytes: &[u8]) -> Option<Cell<'_>> {
        Some(match self {
            Self::Boolean => Cell::Integer(i64::from(bytes.first().copied()?)),
            Self::Small => Cell::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Medium => Cell::Integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Large => Cell::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
            Self::ObjectId => Cell::Integer(u32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Single => Cell::Single(f32::from_be_bytes(bytes.try_into().ok()?)),
            Self::Double => Cell::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Numeric => Cell::Decimal(Decimal::from_postgres(bytes)?),
            Self::Text => Cell::Text(bytes),
            Self::Json => Cell::Json(bytes),
            // The first byte is the version of the form.
            Self::BinaryJson => Cell::Json(bytes.get(1..)?),
            Self::Date => match i32::from_be_bytes(bytes.try_into().ok()?) {
                i32::MAX => Cell::Text(b"infinity"),
                i32::MIN => Cell::Text(b"-infinity"),
                days => Cell::Moment(Moment::Date(days.saturating_add(DAYS))),
            },
            Self::Time => Cell::Moment(Moment::Time(i64::from_be_bytes(bytes.try_into().ok()?))),
            Self::Timestamp | Self::TimestampTz => {
                match i64::from_be_bytes(bytes.try_into().ok()?) {
                    i64::MAX => Cell::Text(b"infinity"),
                    i64::MIN => Cell::Text(b"-infinity"),
                    moment => {
                        let moment = moment.saturating_add(MICROSECONDS);
                        Cell::Moment(if self == Self::Timestamp {
                            Moment::Civil(moment)
                        } else {
                            Moment::Instant(moment)
                        })
                    }
                }
            }
            Self::Uuid => Cell::Uuid(Uuid(bytes.try_into().ok()?)),
            Self::Bytes => Cell::Blob(bytes),
        })
    }
}

/// A row of the driver with the readers of its columns.
pub(super) struct PostgresRow<'row> {
    pub(super) row: &'row DriverRow,
    pub(super) readers: &'row [Reader],
}

impl Row for PostgresRow<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        let Raw(bytes) = self.row.get(index);
        bytes.map_or(Cell::Null, |bytes| {
            self.readers[index]
                .read(bytes)
                .expect("the server sends values of the length their type has")
        })
    }

    fn rows(&self, index: usize) -> Rows<'_> {
        Rows::records(self.cell(index))
    }
}

/// The bytes of a column, whatever its type.
struct Raw<'row>(Option<&'row [u8]>);

impl<'row> FromSql<'row> for Raw<'row> {
    fn from_sql(_: &Type, bytes: &'row [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(bytes)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_cells() {
        let check = |reader: Reader, bytes: &[u8], expected: Option<Cell<'_>>| {
            assert_eq!(reader.read(bytes), expected, "{reader:?} {bytes:?}");
        };
        check(Reader::Boolean, &[1], Some(Cell::Integer(1)));
        check(Reader::Small, &[0xff, 0xff], Some(Cell::Integer(-1)));
        check(
            Reader::ObjectId,
            &[0xff; 4],
            Some(Cell::Integer(u32::MAX.into())),
        );
        check(Reader::Large, &[0; 7], None);
        check(Reader::BinaryJson, b"\x01{}", Some(Cell::Json(b"{}")));
        check(
            Reader::Date,
            &[0; 4],
            Some(Cell::Moment(Moment::Date(DAYS))),
        );
        check(
            Reader::TimestampTz,
            &i64::MAX.to_be_bytes(),
            Some(Cell::Text(b"infinity")),
        );
        check(
            Reader::Timestamp,
            &[0; 8],
            Some(Cell::Moment(Moment::Civil(MICROSECONDS))),
        );
    }
}
