//! A statement ready to run: text with placeholders, and the values bound to them.

use std::sync::Arc;

/// A value bound to a placeholder. Values never become part of the SQL text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// SQL text with numbered placeholders (`?1`, `?2`, …) and one value for each.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text. Equal requests of another value share it, so the engine can keep it prepared.
    pub sql: Arc<str>,
    /// The values, `?1` first.
    pub values: Vec<Value>,
}
