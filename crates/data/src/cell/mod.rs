//! What a database hands over for one column of one row, borrowed and not yet encoded.

mod decimal;
mod moment;
pub(crate) mod packed;
mod rows;
mod uuid;

pub use decimal::Decimal;
pub use moment::Moment;
pub use rows::{MalformedRows, Rows};
pub use uuid::Uuid;

/// One column's value, borrowed from the driver's row buffer.
///
/// Encoders turn it into bytes at once; nothing keeps it beyond the row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Cell<'row> {
    /// SQL `NULL`.
    Null,
    /// A 64-bit integer; 0 or 1 for truth values.
    Integer(i64),
    /// A double.
    Real(f64),
    /// A single: its shortest form has fewer digits than that of the same double.
    Single(f32),
    /// A decimal number with all its digits.
    Decimal(Decimal<'row>),
    /// Text as the database stores it. SQLite does not check that it is UTF-8, so neither does this.
    Text(&'row [u8]),
    /// JSON text that the database has checked.
    Json(&'row [u8]),
    /// Bytes.
    Blob(&'row [u8]),
    /// A date, a time of day, or both.
    Moment(Moment),
    /// A universally unique identifier.
    Uuid(Uuid),
}

/// A row that can be asked for its columns by position.
pub trait Row {
    /// The value of the column at `index`, counted from 0 in the order of the `SELECT` list.
    ///
    /// # Panics
    /// When there is no such column: a plan and its statement are made together, so this is a bug.
    fn cell(&self, index: usize) -> Cell<'_>;

    /// The related rows in the column at `index`, where the statement gathers some.
    ///
    /// # Panics
    /// As [`cell`](Self::cell).
    fn rows(&self, index: usize) -> Rows<'_> {
        let _ = index;
        Rows::none()
    }
}
