//! Text from a query as a value of a column's kind.

use crate::catalog::ColumnKind;
use crate::statement::Value;

/// The value `text` stands for in a column of this kind; `None` when it stands for none.
///
/// Numbers are read strictly: no spaces, no hexadecimal, no infinity. A date must start like one
/// (`2026-01-31`) or be a number of five digits or more, for columns that hold Unix or Julian time.
pub fn typed(kind: ColumnKind, text: &str) -> Option<Value> {
    match kind {
        ColumnKind::Integer => integer(text),
        ColumnKind::Real | ColumnKind::Numeric => number(text),
        ColumnKind::Boolean => match text {
            "true" | "1" => Some(Value::Integer(1)),
            "false" | "0" => Some(Value::Integer(0)),
            _ => None,
        },
        ColumnKind::Date | ColumnKind::DateTime => moment(text),
        ColumnKind::Text | ColumnKind::Json | ColumnKind::Enum | ColumnKind::Other => {
            Some(Value::Text(text.to_owned()))
        }
        ColumnKind::Decimal => is_decimal(text).then(|| Value::Text(text.to_owned())),
        ColumnKind::Uuid => is_uuid(text).then(|| Value::Text(text.to_ascii_lowercase())),
        ColumnKind::Time => is_time(text).then(|| Value::Text(text.to_owned())),
        ColumnKind::Any => number(text).or_else(|| Some(Value::Text(text.to_owned()))),
        ColumnKind::Blob | ColumnKind::Composite => None,
    }
}

fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        text.parse().ok().map(Value::Integer)
    } else {
        None
    }
}

fn number(text: &str) -> Option<Value> {
    let starts = text
        .strip_prefix('-')
        .unwrap_or(text)
        .starts_with(|c: char| c.is_ascii_digit());
    let ends = text.ends_with(|c: char| c.is_ascii_digit());
    if !starts || !ends {
        return None;
    }
    integer(text).or_else(|| {
        text.parse()
            .ok()
            .filter(|value: &f64| value.is_finite())
            .map(Value::Real)
    })
}

/// Digits, perhaps with a sign, a fraction and an exponent: what JSON takes for a number.
fn is_decimal(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || b"-+.eE".contains(&byte))
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text
            .trim_start_matches('-')
            .starts_with(|c: char| c.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

/// The 36 characters of RFC 9562 section 4.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `12:30`, with seconds and a fraction where wanted.
pub(crate) fn is_time(text: &str) -> bool {
    text.contains(':') && text.parse::<jiff::civil::Time>().is_ok()
}

fn moment(text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    let date = bytes.len() >= 10
        && bytes
            .iter()
            .take(10)
            .enumerate()
            .all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
    let rest = |byte: &u8| byte.is_ascii_digit() || b"TtZz:.+- ".contains(byte);
    if date && bytes.len() <= 40 && bytes.iter().all(rest) {
        return Some(Value::Text(text.to_owned()));
    }
    number(text).filter(|_| bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_kind() {
        let check = |kind, text: &str, expected: Option<Value>| {
            assert_eq!(typed(kind, text), expected, "{kind:?} {text:?}");
        };
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        check(ColumnKind::Integer, "7", Some(Value::Integer(7)));
        check(
            ColumnKind::Integer,
            "-9223372036854775808",
            Some(Value::Integer(i64::MIN)),
        );
        for wrong in [
            "",
            "-",
            "+7",
            " 7",
            "7.0",
            "1e3",
            "0x10",
            "9223372036854775808",
            "seven",
            "٣",
        ] {
            check(ColumnKind::Integer, wrong, None);
        }
        check(ColumnKind::Real, "7", Some(Value::Integer(7)));
        check(ColumnKind::Numeric, "-0.5", Some(Value::Real(-0.5)));
        check(ColumnKind::Real, "1e3", Some(Value::Real(1000.0)));
        for wrong in ["inf", "NaN", ".5", "5.", "1e400", "-", "1_000"] {
            check(ColumnKind::Real, wrong, None);
        }
        check(ColumnKind::Boolean, "true", Some(Value::Integer(1)));
        check(ColumnKind::Boolean, "yes", None);
        check(ColumnKind::DateTime, "2026-01-01", text("2026-01-01"));
        check(
            ColumnKind::DateTime,
            "2026-01-01T10:00:00+02:00",
            text("2026-01-01T10:00:00+02:00"),
        );
        check(
            ColumnKind::DateTime,
            "1767225600",
            Some(Value::Integer(1_767_225_600)),
        );
        for wrong in ["2026", "yesterday", "2026-01", "2026-01-01'; --"] {
            check(ColumnKind::DateTime, wrong, None);
        }
        check(ColumnKind::Text, "", text(""));
        check(ColumnKind::Any, "5", Some(Value::Integer(5)));
        check(ColumnKind::Any, "five", text("five"));
        check(ColumnKind::Blob, "AA==", None);
        check(ColumnKind::Composite, "{1}", None);
        check(
            ColumnKind::Decimal,
            "12345678901234567890.10",
            text("12345678901234567890.10"),
        );
        check(ColumnKind::Decimal, "-1.5e-3", text("-1.5e-3"));
        for wrong in ["", "-", "NaN", "1e", ".5", "--1", "1_0", "0x1", " 1"] {
            check(ColumnKind::Decimal, wrong, None);
        }
        let id = "123E4567-e89b-12d3-a456-426614174000";
        check(ColumnKind::Uuid, id, text(&id.to_ascii_lowercase()));
        for wrong in ["", "1", "123e4567e89b12d3a456426614174000", &id[1..]] {
            check(ColumnKind::Uuid, wrong, None);
        }
        check(ColumnKind::Time, "12:30", text("12:30"));
        check(ColumnKind::Time, "12:30:00.5", text("12:30:00.5"));
        for wrong in ["12", "25:00", "noon", "12:30Z"] {
            check(ColumnKind::Time, wrong, None);
        }
    }
}
