//! How the row that was written is read back for the answer.

use std::sync::Arc;

/// A statement over the key of the row written, and what encodes the row.
///
/// It is run in the same transaction as the write: it sees what triggers made of the row, and when it
/// fails the write is undone.
#[derive(Debug, Clone)]
pub struct ReadBack<E> {
    /// The text; its values are the parts of the key, in key order.
    pub sql: Arc<str>,
    /// What encodes the row.
    pub encoder: E,
}
