//! A statement ready to run: text with placeholders, and the values bound to them.

use std::sync::Arc;

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::cell::Cell;

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
    /// Text that is not UTF-8, as SQLite may hold it. Only cursors carry it, to compare exactly.
    RawText(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(value) => Self::Integer(value),
            Cell::Real(value) => Self::Real(value),
            Cell::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::RawText(bytes.to_vec()),
            },
            Cell::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::RawText(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// SQL text with numbered placeholders (`?1`, `?2`, …) and one value for each.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text. Equal requests of another value share it, so the engine can keep it prepared.
    pub sql: Arc<str>,
    /// The values, `?1` first.
    pub values: Vec<Value>,
}
