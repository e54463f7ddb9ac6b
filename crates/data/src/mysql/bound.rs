//! Values on their way to the server.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use mysql_async::Value as Sent;

use crate::statement::Value;

/// How a value is to be read, as plans mark it behind the placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// As it is.
    #[default]
    Plain,
    /// `d`: the date of what may be a moment.
    Date,
    /// `c`: a moment on the wall's clock; a zone does not matter.
    Civil,
    /// `i`: a moment in UTC; without a zone it is in UTC already.
    Instant,
    /// `u`: a number that may be larger than the largest signed one.
    Unsigned,
}

/// The value is none a column of this type can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is no date or moment")]
pub(crate) struct Misfit;

impl Form {
    pub(super) fn of_mark(mark: u8) -> Option<Self> {
        match mark {
            b'd' => Some(Self::Date),
            b'c' => Some(Self::Civil),
            b'i' => Some(Self::Instant),
            b'u' => Some(Self::Unsigned),
            _ => None,
        }
    }
}

/// The value as the driver sends it. Moments are written as the server reads them: it knows neither `T` nor zones, and
/// takes what does not exist for nothing without saying so.
pub(super) fn sent(value: &Value, form: Form) -> Result<Sent, Misfit> {
    let text = match value {
        Value::Null => return Ok(Sent::NULL),
        Value::Text(text) => text.as_str(),
        _ if matches!(form, Form::Date | Form::Civil | Form::Instant) => return Err(Misfit),
        Value::Integer(number) => return Ok(Sent::Int(*number)),
        Value::Real(number) => return Ok(Sent::Double(*number)),
        Value::RawText(bytes) | Value::Blob(bytes) => return Ok(Sent::Bytes(bytes.clone())),
    };
    let text = match form {
        Form::Plain => text.to_owned(),
        Form::Unsigned => match text.parse() {
            Ok(number) => return Ok(Sent::UInt(number)),
            Err(_) => text.to_owned(),
        },
        Form::Date => date(text).ok_or(Misfit)?,
        Form::Civil => civil(text).ok_or(Misfit)?,
        Form::Instant => instant(text).ok_or(Misfit)?,
    };
    Ok(Sent::Bytes(text.into_bytes()))
}

fn date(text: &str) -> Option<String> {
    let date = text.get(..10)?;
    is_date(date).then(|| date.to_owned())
}

/// Whether the server has it: a date of the calendar, or one with zeros, which some tables hold.
fn is_date(date: &str) -> bool {
    date.parse::<Date>().is_ok()
        || (date.starts_with("0000-") || date.get(4..).is_some_and(|rest| rest.contains("-00")))
            && date.len() == 10
            && date
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The moment without a zone.
fn civil(text: &str) -> Option<String> {
    let date = date(text)?;
    let rest = text.get(10..)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).unwrap_or(rest);
    let clock = rest.find(['Z', 'z', '+', '-']);
    let clock = clock.map_or(rest, |zone| &rest[..zone]).trim_end();
    if clock.is_empty() {
        return Some(date);
    }
    clock.parse::<jiff::civil::Time>().ok()?;
    Some(format!("{date} {clock}"))
}

/// The moment in UTC.
fn instant(text: &str) -> Option<String> {
    let Ok(instant) = text.parse::<Timestamp>() else {
        // A zone that is wrong is not left out.
        let zone = text.get(10..)?.contains(['Z', 'z', '+', '-']);
        return if zone { None } else { civil(text) };
    };
    let moment: DateTime = Offset::UTC.to_datetime(instant);
    Some(format!("{} {}", moment.date(), moment.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, text: &str, expected: Option<&str>) {
        let found = sent(&Value::Text(text.to_owned()), form).ok();
        let expected = expected.map(|text| Sent::Bytes(text.as_bytes().to_vec()));
        assert_eq!(found, expected, "{form:?} {text}");
    }

    #[test]
    fn moments_are_written_as_the_server_reads_them() {
        check(Form::Date, "2026-01-31", Some("2026-01-31"));
        check(Form::Date, "2026-01-31T10:00:00Z", Some("2026-01-31"));
        check(Form::Date, "2026-02-30", None);
        check(Form::Date, "2026-00-00", Some("2026-00-00"));
        check(Form::Date, "soon", None);
        check(Form::Civil, "2026-01-31", Some("2026-01-31"));
        check(
            Form::Civil,
            "2026-01-31T10:00:00.5+02:00",
            Some("2026-01-31 10:00:00.5"),
        );
        check(Form::Civil, "2026-01-31 10:00", Some("2026-01-31 10:00"));
        check(Form::Civil, "2026-01-31T25:00:00", None);
        check(
            Form::Civil,
            "0000-00-00T00:00:00",
            Some("0000-00-00 00:00:00"),
        );
        check(
            Form::Instant,
            "2026-01-31T10:00:00.5+02:00",
            Some("2026-01-31 08:00:00.5"),
        );
        check(
            Form::Instant,
            "2026-01-31T10:00:00",
            Some("2026-01-31 10:00:00"),
        );
        check(Form::Instant, "2026-01-31", Some("2026-01-31"));
        check(Form::Instant, "2026-01-31T10:00:00+99:00", None);
    }

    #[test]
    fn numbers_are_no_moments_and_may_be_large() {
        assert_eq!(sent(&Value::Integer(5), Form::Instant), Err(Misfit));
        assert_eq!(sent(&Value::Integer(-5), Form::Unsigned), Ok(Sent::Int(-5)));
        let large = Value::Text(u64::MAX.to_string());
        assert_eq!(sent(&large, Form::Unsigned), Ok(Sent::UInt(u64::MAX)));
        assert_eq!(sent(&Value::Null, Form::Date), Ok(Sent::NULL));
        assert_eq!(
            sent(&Value::Blob(vec![0, 255]), Form::Plain),
            Ok(Sent::Bytes(vec![0, 255]))
        );
    }
}
