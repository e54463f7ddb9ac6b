//! The rows of one statement, encoded.

/// What [`Database::run`](crate::Database::run) answers.
#[derive(Debug)]
pub struct Answer<E> {
    /// The encoder, with what it learnt from the rows.
    pub encoder: E,
    /// What it wrote.
    pub bytes: Vec<u8>,
    /// How many rows the statement gave.
    pub rows: u64,
}
