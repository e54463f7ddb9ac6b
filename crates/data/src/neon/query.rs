//! A statement on its way.

use std::fmt;

use serde::Serialize;

use crate::statement::{Statement, Value};

/// A statement and its values, in the text the server reads them from. `Debug` does not show the values.
#[derive(Clone, Serialize)]
pub struct NeonQuery {
    query: String,
    params: Vec<Option<String>>,
}

impl NeonQuery {
    /// A statement with `$1`, `$2`, … for values, whose types the server chooses: cast them (`$1::int`) where it must not
    /// guess.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            query: sql.into(),
            params: Vec::new(),
        }
    }

    /// The next value.
    #[must_use]
    pub fn value(mut self, text: impl Into<String>) -> Self {
        self.params.push(Some(text.into()));
        self
    }

    /// `NULL` as the next value.
    #[must_use]
    pub fn null(mut self) -> Self {
        self.params.push(None);
        self
    }

    /// A statement of a plan; nothing where a value is no text that JSON can carry.
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        let values = statement.values.iter();
        let params: Option<Vec<_>> = values.map(text).collect();
        Some(Self {
            query: statement.sql.to_string(),
            params: params?,
        })
    }
}

/// The outer one is nothing where the value cannot be said, the inner one is `NULL`.
#[expect(
    clippy::option_option,
    reason = "one is about the value, one is the value"
)]
fn text(value: &Value) -> Option<Option<String>> {
    Some(Some(match value {
        Value::Null => return Some(None),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::RawText(_) => return None,
        Value::Blob(bytes) => {
            let mut text = String::with_capacity(2 + 2 * bytes.len());
            text.push_str("\\x");
            for byte in bytes {
                let _ = fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
            }
            text
        }
    }))
}

impl fmt::Debug for NeonQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeonQuery")
            .field("query", &self.query)
            .field("params", &self.params.len())
            .finish()
    }
}
