//! One JSON value as the value of a column.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::invalid::FieldErrorCode;
use crate::catalog::{Column, ColumnKind, Native};
use crate::query::{is_time, is_uuid};
use crate::statement::Value;

/// Why a value does not fit: the code, and what follows "The field x" in the sentence.
pub(super) type Misfit = (FieldErrorCode, String);

/// Below this, 2^53, a double is one whole number and no other.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Objects and lists may be this deep in each other.
const MOST_NESTED: usize = 100;

enum Json<'text> {
    Null,
    Bool(bool),
    Number(&'text str),
    String(String),
    Composite,
}

/// The value of `text`, a JSON value, in this column.
pub(super) fn convert(column: &Column, text: &str) -> Result<Value, Misfit> {
    let text = if column.kind == ColumnKind::Integer {
        big_integer(text).unwrap_or(text)
    } else {
        text
    };
    let json = parse(text)?;
    if matches!(json, Json::Null) {
        return if column.nullable {
            Ok(Value::Null)
        } else {
            Err((
                FieldErrorCode::Null,
                format!("must not be null: it holds {}.", column.kind.expectation()),
            ))
        };
    }
    if let Some(native) = &column.native {
        refuse_early(column, native, &json)?;
    }
    match (column.kind, json) {
        (ColumnKind::Json, _) => nested(text),
        (ColumnKind::Decimal, Json::Number(number)) => Ok(Value::Text(number.to_owned())),
        (ColumnKind::Uuid, Json::String(string)) if is_uuid(&string) => Ok(Value::Text(string)),
        (ColumnKind::Time, Json::String(string)) if is_time(&string) => Ok(Value::Text(string)),
        (kind @ (ColumnKind::Uuid | ColumnKind::Time), Json::String(_)) => Err((
            FieldErrorCode::Format,
            format!("holds {}.", kind.expectation()),
        )),
        (ColumnKind::Integer, Json::Number(number)) if is_wide(column, number) => {
            Ok(Value::Text(number.to_owned()))
        }
        (ColumnKind::Integer | ColumnKind::Date | ColumnKind::DateTime, Json::Number(number)) => {
            integer(number)
        }
        (ColumnKind::Real, Json::Number(number)) => real(number),
        (ColumnKind::Numeric | ColumnKind::Any, Json::Number(number)) => numeric(number),
        (ColumnKind::Boolean | ColumnKind::Any, Json::Bool(value)) => {
            Ok(Value::Integer(value.into()))
        }
        (ColumnKind::Text, Json::String(string)) => sized(column, string),
        (ColumnKind::Any | ColumnKind::Enum | ColumnKind::Other, Json::String(string)) => {
            Ok(Value::Text(string))
        }
        (ColumnKind::Date | ColumnKind::DateTime, Json::String(string)) => {
            moment(column.kind, string)
        }
        (ColumnKind::Blob, Json::String(string)) => bytes(&string),
        (kind, other) => {
            let given = name(&other);
            Err((
                FieldErrorCode::WrongType,
                format!("holds {}, not {given}.", kind.expectation()),
            ))
        }
    }
}

/// What an engine with strict types would refuse without saying which field it is about.
fn refuse_early(column: &Column, native: &Native, json: &Json<'_>) -> Result<(), Misfit> {
    let format = |sentence: String| Err((FieldErrorCode::Format, sentence));
    match json {
        Json::String(text) if text.contains('\0') => {
            format("holds text without the character zero.".to_owned())
        }
        Json::String(text) => match &column.labels {
            Some(labels) if !labels.iter().any(|label| label == text) => {
                format(format!("holds one of {}.", labels.join(", ")))
            }
            _ => Ok(()),
        },
        Json::Number(number) if is_wide(column, number) => Ok(()),
        Json::Number(number) if column.kind == ColumnKind::Integer => {
            let (least, most) = bounds(&native.type_name);
            match integer(number)? {
                Value::Integer(value) if value < least || value > most => Err(out_of_range(
                    &format!("it must lie between {least} and {most}"),
                )),
                _ => Ok(()),
            }
        }
        Json::Number(_) if matches!(column.kind, ColumnKind::Date | ColumnKind::DateTime) => Err((
            FieldErrorCode::WrongType,
            format!("holds {}, not a number.", column.kind.expectation()),
        )),
        _ => Ok(()),
    }
}

/// The digits of a string that is a whole number beyond 2^53 - 1: who reads numbers as doubles can send it in no other
/// form, and gets it in this one where `big_integers` says so.
fn big_integer(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('"')?.strip_suffix('"')?;
    let bare = digits.strip_prefix('-').unwrap_or(digits);
    let is_number = !bare.starts_with('0') && bare.bytes().all(|byte| byte.is_ascii_digit());
    let is_big = bare.parse::<u64>().is_ok_and(|number| number >= 1 << 53);
    (is_number && is_big).then_some(digits)
}

/// Whether the number is above all signed ones and fits the column all the same.
fn is_wide(column: &Column, number: &str) -> bool {
    let native = column.native.as_ref();
    native.is_some_and(|native| native.type_name == "bigint unsigned")
        && number.parse::<i64>().is_err()
        && number.parse::<u64>().is_ok()
}

/// The whole numbers a type holds, as far as they are ours to tell.
fn bounds(type_name: &str) -> (i64, i64) {
    let signed = |bits: u32| (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
    let unsigned = |bits: u32| (0, i64::MAX >> (63 - bits));
    match type_name {
        "tinyint" => signed(8),
        "\"int2\"" | "smallint" => signed(16),
        "mediumint" => signed(24),
        "\"int4\"" | "int" => signed(32),
        "tinyint unsigned" => unsigned(8),
        "smallint unsigned" => unsigned(16),
        "mediumint unsigned" => unsigned(24),
        "int unsigned" => unsigned(32),
        "bigint unsigned" => unsigned(63),
        _ => signed(64),
    }
}

fn parse(text: &str) -> Result<Json<'_>, Misfit> {
    Ok(match text.as_bytes().first() {
        Some(b'n') => Json::Null,
        Some(b't') => Json::Bool(true),
        Some(b'f') => Json::Bool(false),
        Some(b'"') => {
            // The text has been scanned as JSON; what is left to fail is an unpaired surrogate.
            let string = serde_json::from_str(text);
            Json::String(string.map_err(|_| {
                (
                    FieldErrorCode::Format,
                    "has an escape that is no character.".to_owned(),
                )
            })?)
        }
        Some(b'{' | b'[') => Json::Composite,
        _ => Json::Number(text),
    })
}

fn name(json: &Json<'_>) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Composite => "an object or a list",
    }
}

fn out_of_range(what: &str) -> Misfit {
    (
        FieldErrorCode::OutOfRange,
        format!("cannot hold this number: {what}."),
    )
}

/// JSON as it stands. Depth is bounded: what is stored here is parsed by others, who recurse.
fn nested(text: &str) -> Result<Value, Misfit> {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > MOST_NESTED {
        let sentence = format!("holds JSON of at most {MOST_NESTED} levels, not {deepest}.");
        return Err((FieldErrorCode::Format, sentence));
    }
    Ok(Value::Text(text.to_owned()))
}

/// A whole number, which JSON may write as `1.0` or `1e3`.
fn integer(number: &str) -> Result<Value, Misfit> {
    if let Ok(value) = number.parse() {
        return Ok(Value::Integer(value));
    }
    let range = "it must lie between -9223372036854775808 and 9223372036854775807";
    if !number.contains(['.', 'e', 'E']) {
        return Err(out_of_range(range));
    }
    let value = finite(number)?;
    if value.fract() != 0.0 {
        return Err((
            FieldErrorCode::WrongType,
            "holds a whole number, not a fraction.".to_owned(),
        ));
    }
    if value.abs() >= EXACT {
        return Err(out_of_range(&format!(
            "{range}, and be written without exponent or fraction"
        )));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    Ok(Value::Integer(value as i64))
}

fn real(number: &str) -> Result<Value, Misfit> {
    finite(number).map(Value::Real)
}

fn numeric(number: &str) -> Result<Value, Misfit> {
    number.parse().map(Value::Integer).or_else(|_| real(number))
}

fn finite(number: &str) -> Result<f64, Misfit> {
    let value: f64 = number.parse().unwrap_or(f64::INFINITY);
    if value.is_finite() {
        Ok(value)
    } else {
        Err(out_of_range("it is larger than a double"))
    }
}

fn sized(column: &Column, string: String) -> Result<Value, Misfit> {
    if let Some(most) = declared_length(&column.declared) {
        let length = string.chars().count();
        if length > most {
            let sentence = format!("holds at most {most} characters, not {length}.");
            return Err((FieldErrorCode::TooLong, sentence));
        }
    }
    Ok(Value::Text(string))
}

/// The `n` of `VARCHAR(n)`, `CHARACTER VARYING(n)` and their kin.
pub(super) fn declared_length(declared: &str) -> Option<usize> {
    let (word, rest) = declared.split_once('(')?;
    let (length, _) = rest.split_once(')')?;
    word.to_ascii_uppercase()
        .contains("CHAR")
        .then(|| length.trim().parse().ok())?
}

fn moment(kind: ColumnKind, string: String) -> Result<Value, Misfit> {
    let is_date = string.len() == 10 && string.parse::<jiff::civil::Date>().is_ok();
    let is_time = string.len() > 10
        && string
            .get(..10)
            .is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok())
        && {
            string.parse::<jiff::Timestamp>().is_ok()
                || string.parse::<jiff::civil::DateTime>().is_ok()
        };
    if is_date || (is_time && kind == ColumnKind::DateTime) {
        Ok(Value::Text(string))
    } else {
        Err((
            FieldErrorCode::Format,
            format!("holds {}.", kind.expectation()),
        ))
    }
}

fn bytes(string: &str) -> Result<Value, Misfit> {
    STANDARD.decode(string).map(Value::Blob).map_err(|_| {
        (
            FieldErrorCode::Format,
            "holds bytes, written as base64 with padding.".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(declared: &str) -> Column {
        Column {
            name: "c".to_owned(),
            declared: declared.to_owned(),
            kind: ColumnKind::from_declared(declared),
            nullable: false,
            has_default: false,
            generated: false,
            key_position: None,
            rowid_alias: false,
            autoincrement: false,
            labels: None,
            native: None,
        }
    }

    #[test]
    fn values_that_fit() {
        let check = |declared: &str, text: &str, expected: Value| {
            assert_eq!(
                convert(&column(declared), text),
                Ok(expected),
                "{declared} {text}"
            );
        };
        check("INTEGER", "-9223372036854775808", Value::Integer(i64::MIN));
        check("INTEGER", "9223372036854775807", Value::Integer(i64::MAX));
        check("INTEGER", "1.0", Value::Integer(1));
        check("INTEGER", "-0", Value::Integer(0));
        check("INTEGER", "12e2", Value::Integer(1200));
        check(
            "INTEGER",
            "\"-9223372036854775808\"",
            Value::Integer(i64::MIN),
        );
        check("INTEGER", "\"9007199254740992\"", Value::Integer(1 << 53));
        check("REAL", "1", Value::Real(1.0));
        check("NUMERIC", "10", Value::Integer(10));
        check("DECIMAL(10,2)", "10.5", Value::Real(10.5));
        check("BOOLEAN", "true", Value::Integer(1));
        check("VARCHAR(3)", "\"äöü\"", Value::Text("äöü".to_owned()));
        check(
            "TEXT",
            "\"a\\u0000\\ud83d\\ude00\"",
            Value::Text("a\0😀".to_owned()),
        );
        check("BLOB", "\"AP8Q\"", Value::Blob(vec![0, 255, 16]));
        check(
            "DATE",
            "\"2026-01-31\"",
            Value::Text("2026-01-31".to_owned()),
        );
        check(
            "DATETIME",
            "\"2026-01-31 10:00:00\"",
            Value::Text("2026-01-31 10:00:00".to_owned()),
        );
        check(
            "DATETIME",
            "\"2026-01-31T10:00:00+02:00\"",
            Value::Text("2026-01-31T10:00:00+02:00".to_owned()),
        );
        check("DATETIME", "1767225600", Value::Integer(1_767_225_600));
        check(
            "JSON",
            "{\"a\": [1e400]}",
            Value::Text("{\"a\": [1e400]}".to_owned()),
        );
        check("", "false", Value::Integer(0));
    }

    #[test]
    fn values_that_do_not_fit() {
        use FieldErrorCode::{Format, Null, OutOfRange, TooLong, WrongType};
        let check = |declared: &str, text: &str, expected: FieldErrorCode| {
            let code = convert(&column(declared), text).map_err(|(code, _)| code);
            assert_eq!(code, Err(expected), "{declared} {text}");
        };
        check("INTEGER", "9223372036854775808", OutOfRange);
        check("INTEGER", "1e400", OutOfRange);
        check("INTEGER", "9007199254740993.0", OutOfRange);
        check("INTEGER", "1e18", OutOfRange);
        check("INTEGER", "1.5", WrongType);
        check("INTEGER", "\"1\"", WrongType);
        check("INTEGER", "\"9007199254740991\"", WrongType);
        check("INTEGER", "\"09223372036854775807\"", WrongType);
        check("INTEGER", "\"9223372036854775808\"", OutOfRange);
        check("INTEGER", "null", Null);
        check("REAL", "1e400", OutOfRange);
        check("REAL", "-1e400", OutOfRange);
        check("NUMERIC", "true", WrongType);
        check("BOOLEAN", "1", WrongType);
        check("TEXT", "5", WrongType);
        check("TEXT", "{}", WrongType);
        check("TEXT", "\"\\ud800\"", Format);
        check("NVARCHAR(3)", "\"abcd\"", TooLong);
        check("BLOB", "\"AP8\"", Format);
        check("DATE", "\"2026-02-30\"", Format);
        check("DATE", "\"2026-01-31T10:00:00Z\"", Format);
        check("DATETIME", "\"soon\"", Format);
        check("", "[1]", WrongType);
    }

    #[test]
    fn json_is_stored_as_it_stands_but_not_at_any_depth() {
        let check = |text: &str, fits: bool| {
            assert_eq!(convert(&column("JSON"), text).is_ok(), fits, "{text}");
        };
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        check(&deep(100), true);
        check(&deep(101), false);
        check(&format!("[{0},{0}]", deep(99)), true);
        check(&format!("\"\\\"{}\"", "[".repeat(200)), true);
    }

    #[test]
    fn types_have_bounds() {
        for (type_name, expected) in [
            ("\"int2\"", (i64::from(i16::MIN), i64::from(i16::MAX))),
            ("mediumint", (-8_388_608, 8_388_607)),
            ("tinyint unsigned", (0, 255)),
            ("int unsigned", (0, i64::from(u32::MAX))),
            ("bigint unsigned", (0, i64::MAX)),
            ("bigint", (i64::MIN, i64::MAX)),
        ] {
            assert_eq!(bounds(type_name), expected, "{type_name}");
        }
    }

    #[test]
    fn declared_lengths() {
        let check = |declared: &str, expected: Option<usize>| {
            assert_eq!(declared_length(declared), expected);
        };
        check("VARCHAR(255)", Some(255));
        check("character varying ( 20 )", Some(20));
        check("TEXT", None);
        check("DECIMAL(10,2)", None);
        check("CHAR(x)", None);
    }
}
