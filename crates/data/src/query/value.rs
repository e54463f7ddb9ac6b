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
        ColumnKind::Text | ColumnKind::Json => Some(Value::Text(text.to_owned())),
        ColumnKind::Any => number(text).or_else(|| Some(Value::Text(text.to_owned()))),
        ColumnKind::Blob => None,
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
    }
}
