//! Rows to bytes, straight from the driver: no value tree, nothing allocated a row.

mod json_text;
mod page;
mod rows;
mod shape;
mod value_csv;
mod value_json;

use crate::cell::Row;

pub use page::{PageEncoder, PageInfo};
pub use rows::{Layout, OneEncoder, RowsEncoder};
pub use shape::Shape;

/// A value that cannot be encoded.
#[derive(Debug, thiserror::Error)]
#[error("a value cannot be encoded")]
pub struct EncodeError;

/// Turns rows into bytes.
pub trait RowEncoder {
    /// Before the first row.
    fn begin(&mut self, out: &mut Vec<u8>);
    /// Each row.
    ///
    /// # Errors
    /// A value cannot be encoded.
    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError>;
    /// After the last row.
    fn end(&mut self, out: &mut Vec<u8>);
}
