//! The driver's rows in this crate's terms, in either protocol.

use std::io::Write as _;

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Row as DriverRow, Value};

use super::gathered::Related;
use crate::cell::{Cell, Decimal, Moment, Row, Rows};
use crate::sql::SINGLE;

/// The character set that is none: bytes.
const BINARY: u16 = 63;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Integer,
    Single,
    Double,
    Decimal,
    Text,
    Json,
    Bytes,
    Bits,
    Date,
    Civil,
    Instant,
    Time,
}

impl Reader {
    /// The readers of a row's columns.
    pub(crate) fn of(columns: &[Column]) -> Vec<Self> {
        columns.iter().map(Self::of_column).collect()
    }

    fn of_column(column: &Column) -> Self {
        use ColumnType as Type;
        match column.column_type() {
            Type::MYSQL_TYPE_TINY
            | Type::MYSQL_TYPE_SHORT
            | Type::MYSQL_TYPE_LONG
            | Type::MYSQL_TYPE_LONGLONG
            | Type::MYSQL_TYPE_INT24
            | Type::MYSQL_TYPE_YEAR => Self::Integer,
            Type::MYSQL_TYPE_FLOAT => Self::Single,
            Type::MYSQL_TYPE_DOUBLE if column.name_ref() == SINGLE.as_bytes() => Self::Single,
            Type::MYSQL_TYPE_DOUBLE => Self::Double,
            Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            Type::MYSQL_TYPE_JSON => Self::Json,
            Type::MYSQL_TYPE_BIT => Self::Bits,
            Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE => Self::Date,
            Type::MYSQL_TYPE_DATETIME | Type::MYSQL_TYPE_DATETIME2 => Self::Civil,
            Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => Self::Instant,
            Type::MYSQL_TYPE_TIME | Type::MYSQL_TYPE_TIME2 => Self::Time,
            // Labels are text, whatever is said of their characters.
            _ if column
                .flags()
                .intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG) =>
            {
                Self::Text
            }
            _ if column.character_set() == BINARY => Self::Bytes,
            _ => Self::Text,
        }
    }

    /// The cell of a value; `Err` holds the text of one that has none of its own.
    fn read(self, value: &Value) -> Result<Cell<'_>, Vec<u8>> {
        Ok(match value {
            Value::NULL => Cell::Null,
            Value::Int(number) => Cell::Integer(*number),
            Value::UInt(number) => {
                Cell::Integer(i64::try_from(*number).map_err(|_| digits(*number))?)
            }
            Value::Float(number) => Cell::Single(*number),
            Value::Double(number) => self.real(*number),
            Value::Date(year, month, day, hour, minute, second, micros) => {
                let clock = clock(0, *hour, *minute, *second, *micros);
                self.moment(i64::from(*year), *month, *day, clock)?
            }
            Value::Time(negative, days, hours, minutes, seconds, micros) => {
                let clock = clock(*days, *hours, *minutes, *seconds, *micros);
                time(*negative, clock)?
            }
            Value::Bytes(bytes) => self.read_bytes(bytes)?,
        })
    }

    /// A value of the text protocol, or one that is bytes in both.
    pub(crate) fn read_bytes(self, bytes: &[u8]) -> Result<Cell<'_>, Vec<u8>> {
        let text = || std::str::from_utf8(bytes).unwrap_or_default();
        Ok(match self {
            Self::Text => Cell::Text(bytes),
            Self::Json => Cell::Json(bytes),
            Self::Bytes => Cell::Blob(bytes),
            Self::Decimal => Cell::Decimal(Decimal::from_text(bytes)),
            Self::Integer => Cell::Integer(text().parse().map_err(|_| bytes.to_vec())?),
            Self::Single | Self::Double => self.real(text().parse().map_err(|_| bytes.to_vec())?),
            Self::Bits => {
                let bits = bytes
                    .iter()
                    .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
                Cell::Integer(i64::try_from(bits).map_err(|_| digits(bits))?)
            }
            Self::Date | Self::Civil | Self::Instant => {
                let (date, rest) = text().split_at_checked(10).ok_or_else(|| bytes.to_vec())?;
                let part = |range: std::ops::Range<usize>| date.get(range)?.parse::<u16>().ok();
                let parts = (part(0..4), part(5..7), part(8..10));
                let (Some(year), Some(month), Some(day)) = parts else {
                    return Err(bytes.to_vec());
                };
                let (_, clock) = parse_clock(rest).ok_or_else(|| bytes.to_vec())?;
                let small = |part: u16| u8::try_from(part).unwrap_or_default();
                self.moment(i64::from(year), small(month), small(day), clock)?
            }
            Self::Time => {
                let (negative, clock) = parse_clock(text()).ok_or_else(|| bytes.to_vec())?;
                time(negative, clock)?
            }
        })
    }

    /// What a value comes to that has no cell of its own.
    pub(crate) fn told(self, text: &[u8]) -> Cell<'_> {
        match self {
            Self::Integer | Self::Bits => Cell::Decimal(Decimal::from_text(text)),
            _ => Cell::Text(text),
        }
    }

    fn real<'row>(self, number: f64) -> Cell<'row> {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "it was a single")]
            Self::Single => Cell::Single(number as f32),
            _ => Cell::Real(number),
        }
    }

    fn moment<'row>(
        self,
        year: i64,
        month: u8,
        day: u8,
        clock: i64,
    ) -> Result<Cell<'row>, Vec<u8>> {
        // Some tables hold dates that are none.
        if year == 0 || month == 0 || day == 0 {
            let mut text = format!("{year:04}-{month:02}-{day:02}").into_bytes();
            if self != Self::Date {
                text.push(b'T');
                write_clock(clock, &mut text);
            }
            return Err(text);
        }
        let days = days(year, i64::from(month), i64::from(day));
        Ok(Cell::Moment(match self {
            Self::Instant => Moment::Instant(days * DAY + clock),
            Self::Civil => Moment::Civil(days * DAY + clock),
            _ => Moment::Date(i32::try_from(days).unwrap_or_default()),
        }))
    }
}

fn digits(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Microseconds.
fn clock(days: u32, hours: u8, minutes: u8, seconds: u8, micros: u32) -> i64 {
    let hours = i64::from(days) * 24 + i64::from(hours);
    ((hours * 60 + i64::from(minutes)) * 60 + i64::from(seconds)) * SECOND + i64::from(micros)
}

/// A time as the server has it: a span, which may go backwards.
fn time<'row>(negative: bool, clock: i64) -> Result<Cell<'row>, Vec<u8>> {
    if negative && clock != 0 {
        let mut text = vec![b'-'];
        write_clock(clock, &mut text);
        return Err(text);
    }
    Ok(Cell::Moment(Moment::Time(clock)))
}

fn write_clock(clock: i64, out: &mut Vec<u8>) {
    let _ = out.write_all(Moment::Time(clock).text().as_bytes());
}

/// ` 12:30:00.5`, `-838:59:59`: whether it goes backwards, and its microseconds. Nothing is midnight.
fn parse_clock(text: &str) -> Option<(bool, i64)> {
    let text = text.trim_start();
    if text.is_empty() {
        return Some((false, 0));
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':').map(str::parse::<i64>);
    let mut part = || parts.next().and_then(Result::ok);
    let (hours, minutes, seconds) = (part()?, part()?, part()?);
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some((
        negative,
        ((hours * 60 + minutes) * 60 + seconds) * SECOND + micros,
    ))
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that a leap day ends one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let cycle = year.div_euclid(400);
    let of_cycle = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    cycle * 146_097 + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year - 719_468
}

/// A row of the driver with the readers of its columns.
pub(super) struct MySqlRow<'row> {
    row: &'row DriverRow,
    readers: &'row [Reader],
    /// The columns whose value has no cell of its own, with their text.
    told: Vec<(usize, Vec<u8>)>,
    related: Related,
}

impl<'row> MySqlRow<'row> {
    pub(super) fn new(row: &'row DriverRow, readers: &'row [Reader]) -> Self {
        let told = readers.iter().enumerate();
        let told = told.filter_map(|(index, reader)| {
            let text = reader.read(row.as_ref(index)?).err()?;
            Some((index, text))
        });
        Self {
            row,
            readers,
            told: told.collect(),
            related: Related::default(),
        }
    }
}

impl Row for MySqlRow<'_> {
    fn cell(&self, index: usize) -> Cell<'_> {
        let value = self.row.as_ref(index);
        let value = value.expect("a plan asks for the columns of its statement");
        let reader = self.readers[index];
        reader.read(value).unwrap_or_else(|_| {
            let text = self.told.iter().find(|(place, _)| *place == index);
            let text = text.map(|(_, text)| text.as_slice()).unwrap_or_default();
            reader.told(text)
        })
    }

    fn rows(&self, index: usize) -> Rows<'_> {
        self.related
            .rows(index, self.readers.len(), self.cell(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "reads better below")]
    fn check(reader: Reader, value: Value, expected: Result<Cell<'_>, &str>) {
        let found = reader.read(&value);
        let expected = expected.map_err(|text| text.as_bytes().to_vec());
        assert_eq!(found, expected, "{reader:?} {value:?}");
    }

    fn bytes(text: &str) -> Value {
        Value::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn both_protocols_give_the_same_cells() {
        let day = 20_484;
        let clock = 36_000 * SECOND + 500_000;
        let date = Ok(Cell::Moment(Moment::Date(i32::try_from(day).unwrap())));
        check(Reader::Date, bytes("2026-01-31"), date);
        check(Reader::Date, Value::Date(2026, 1, 31, 0, 0, 0, 0), date);
        let civil = Ok(Cell::Moment(Moment::Civil(day * DAY + clock)));
        check(Reader::Civil, bytes("2026-01-31 10:00:00.500000"), civil);
        let value = Value::Date(2026, 1, 31, 10, 0, 0, 500_000);
        check(Reader::Civil, value, civil);
        let instant = Ok(Cell::Moment(Moment::Instant(day * DAY)));
        check(Reader::Instant, bytes("2026-01-31 00:00:00"), instant);
        let time = Ok(Cell::Moment(Moment::Time(34 * 3_600 * SECOND)));
        check(Reader::Time, bytes("34:00:00"), time);
        check(Reader::Time, Value::Time(false, 1, 10, 0, 0, 0), time);
        check(Reader::Integer, bytes("-7"), Ok(Cell::Integer(-7)));
        check(Reader::Integer, Value::UInt(7), Ok(Cell::Integer(7)));
        check(Reader::Double, bytes("0.1"), Ok(Cell::Real(0.1)));
        let single = f64::from(0.1_f32);
        check(Reader::Single, Value::Double(single), Ok(Cell::Single(0.1)));
        check(
            Reader::Single,
            bytes(&single.to_string()),
            Ok(Cell::Single(0.1)),
        );
        check(
            Reader::Bits,
            Value::Bytes(vec![1, 2]),
            Ok(Cell::Integer(258)),
        );
    }

    #[test]
    fn what_has_no_cell_is_told_as_text() {
        check(
            Reader::Integer,
            Value::UInt(u64::MAX),
            Err("18446744073709551615"),
        );
        check(
            Reader::Integer,
            bytes("18446744073709551615"),
            Err("18446744073709551615"),
        );
        check(Reader::Date, bytes("0000-00-00"), Err("0000-00-00"));
        check(
            Reader::Instant,
            Value::Date(0, 0, 0, 0, 0, 0, 0),
            Err("0000-00-00T00:00:00"),
        );
        check(
            Reader::Time,
            Value::Time(true, 0, 12, 30, 0, 500_000),
            Err("-12:30:00.5"),
        );
        check(Reader::Time, bytes("-12:30:00.5"), Err("-12:30:00.5"));
    }

    #[test]
    fn days_are_the_calendars() {
        for (year, month, day) in [(1, 1, 1), (1969, 12, 31), (2000, 2, 29), (9999, 12, 31)] {
            let date = jiff::civil::date(year, month, day);
            let since = jiff::civil::date(1970, 1, 1).until(date).unwrap();
            let found = days(year.into(), month.into(), day.into());
            assert_eq!(found, i64::from(since.get_days()), "{date}");
        }
    }
}
