//! Taking answers of the server apart.

use redis::Value;

use crate::error::EngineError;

/// The parts of an array; none of anything else.
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(parts) | Value::Set(parts) => parts,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(a, b)| [a, b]).collect(),
        _ => Vec::new(),
    }
}

/// The text of a string answer; bytes that are no text are replaced.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::Okay => Some("OK".to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Double(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, also one in text form; parts of it are cut off.
pub(super) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Double(number) => Some(whole(*number)),
        Value::BulkString(bytes) => number(std::str::from_utf8(bytes).ok()?),
        Value::SimpleString(text) => number(text),
        _ => None,
    }
}

/// A whole number from its text, which may have decimals or an exponent.
pub(super) fn number(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<f64>().ok().map(whole))
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a float cast stops at the bounds of the type"
)]
const fn whole(number: f64) -> i64 {
    number as i64
}

/// A number that cannot be negative, brought to the bounds of its type.
pub(super) fn small(text: &str) -> Option<u32> {
    number(text).map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

/// Gives the parts of a flat answer one after the other.
#[derive(Debug)]
pub(super) struct Parts(std::vec::IntoIter<Value>);

impl Parts {
    pub(super) fn of(value: Value) -> Self {
        Self(list(value).into_iter())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub(super) fn next(&mut self) -> Result<Value, EngineError> {
        self.0.next().ok_or(EngineError::Damaged("answer"))
    }

    pub(super) fn text(&mut self) -> Result<String, EngineError> {
        text(self.next()?).ok_or(EngineError::Damaged("answer"))
    }

    /// A text that is not empty.
    pub(super) fn some_text(&mut self) -> Result<Option<String>, EngineError> {
        Ok(text(self.next()?).filter(|text| !text.is_empty()))
    }

    pub(super) fn int(&mut self) -> Result<i64, EngineError> {
        int(&self.next()?).ok_or(EngineError::Damaged("answer"))
    }

    /// A count.
    pub(super) fn count(&mut self) -> Result<u64, EngineError> {
        Ok(u64::try_from(self.int()?).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_programs_are_read_leniently() {
        for (text, expected) in [
            ("17", Some(17)),
            ("1500.7", Some(1500)),
            ("1e+15", Some(1_000_000_000_000_000)),
            ("1795469963250.1", Some(1_795_469_963_250)),
            ("soon", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!(small("-3"), Some(0));
        assert_eq!(small("99999999999"), Some(u32::MAX));
    }
}
