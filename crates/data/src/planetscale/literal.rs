//! Values as they stand in a statement.
//!
//! The rules are MySQL's for a session without `NO_BACKSLASH_ESCAPES` and with `utf8mb4`; sessions are checked for both
//! before their first statement.

use std::fmt::Write as _;

use crate::statement::Value;

/// A value that SQL has no word for: an infinite number, or one that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SQL has no word for a number that is infinite or none")]
pub struct NotALiteral;

/// The value as a literal that reads back as itself, and cannot end before its end.
///
/// Bytes become `x'…'`, and so does text that is not UTF-8. Doubles have an exponent, without which they would be
/// decimals.
///
/// # Errors
/// [`NotALiteral`] for a double that is infinite or none.
///
/// ```
/// use paceline_data::Value;
/// use paceline_data::planetscale::literal;
///
/// assert_eq!(literal(&Value::Text("it's".to_owned()))?, r"'it\'s'");
/// assert_eq!(literal(&Value::Blob(vec![0, 255]))?, "x'00ff'");
/// # Ok::<(), paceline_data::planetscale::NotALiteral>(())
/// ```
pub fn literal(value: &Value) -> Result<String, NotALiteral> {
    let mut sql = String::new();
    write(value, &mut sql)?;
    Ok(sql)
}

/// The same behind what stands there already.
pub(super) fn write(value: &Value, sql: &mut String) -> Result<(), NotALiteral> {
    match value {
        Value::Null => sql.push_str("NULL"),
        Value::Integer(number) => {
            // Two signs in a row would be a comment.
            let _ = if *number < 0 {
                write!(sql, "({number})")
            } else {
                write!(sql, "{number}")
            };
        }
        Value::Real(number) if !number.is_finite() => return Err(NotALiteral),
        Value::Real(number) => {
            let _ = write!(sql, "({number:e})");
        }
        Value::Text(text) => quoted(text, sql),
        Value::RawText(bytes) | Value::Blob(bytes) => hexadecimal(bytes, sql),
    }
    Ok(())
}

fn quoted(text: &str, sql: &mut String) {
    sql.reserve(text.len() + 2);
    sql.push('\'');
    for c in text.chars() {
        let escaped = match c {
            '\0' => '0',
            '\'' => '\'',
            '"' => '"',
            '\u{8}' => 'b',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{1a}' => 'Z',
            '\\' => '\\',
            c => {
                sql.push(c);
                continue;
            }
        };
        sql.push('\\');
        sql.push(escaped);
    }
    sql.push('\'');
}

fn hexadecimal(bytes: &[u8], sql: &mut String) {
    sql.reserve(bytes.len() * 2 + 3);
    sql.push_str("x'");
    for byte in bytes {
        let _ = write!(sql, "{byte:02x}");
    }
    sql.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_literals() {
        let check = |value: Value, expected: &str| {
            assert_eq!(literal(&value).as_deref(), Ok(expected), "{value:?}");
        };
        check(Value::Null, "NULL");
        check(Value::Integer(7), "7");
        check(Value::Integer(i64::MIN), "(-9223372036854775808)");
        check(Value::Real(0.1), "(1e-1)");
        check(Value::Real(-0.0), "(-0e0)");
        check(Value::Real(f64::MAX), "(1.7976931348623157e308)");
        check(Value::Text(String::new()), "''");
        check(
            Value::Text("\0'\"\u{8}\n\r\t\u{1a}\\%_🐎".to_owned()),
            r#"'\0\'\"\b\n\r\t\Z\\%_🐎'"#,
        );
        check(Value::RawText(vec![0xff]), "x'ff'");
        check(Value::Blob(Vec::new()), "x''");
        for number in [f64::NAN, f64::INFINITY] {
            assert_eq!(literal(&Value::Real(number)), Err(NotALiteral));
        }
    }
}
