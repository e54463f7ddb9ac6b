//! How the row that was written is read back for the answer.

use std::sync::Arc;

use crate::statement::Value;

/// A statement over the key of the row written, and what encodes the row.
///
/// It is run in the same transaction as the write: it sees what triggers made of the row, and when it
/// fails the write is undone.
#[derive(Debug, Clone)]
pub struct ReadBack<E> {
    /// The text; its last values are the parts of the key, in key order.
    pub sql: Arc<str>,
    /// The values before them.
    pub values: Vec<Value>,
    /// What encodes the row.
    pub encoder: E,
}
