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
            Cell::Text(bytes) => text_of(bytes),
            Cell::Blob(bytes) => Self::Blob(bytes.to_vec()),
            Cell::Single(value) => Self::Real(f64::from(value)),
            Cell::Decimal(number) => {
                let mut digits = Vec::new();
                number.write(&mut digits);
                text_of(&digits)
            }
            Cell::Json(text) => text_of(text),
            Cell::Moment(moment) => Self::Text(moment.text()),
            Cell::Uuid(uuid) => text_of(&uuid.text()),
        }
    }
}

fn text_of(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::RawText(bytes.to_vec()),
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

/// SQL text with numbered placeholders (`?1`, `?2`, … or `$1`, `$2`, …) and one value for each.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text. Equal requests of another value share it, so the engine can keep it prepared.
    pub sql: Arc<str>,
    /// The values, the first placeholder's first.
    pub values: Vec<Value>,
}
