//! Rows to bytes, straight from the driver: no value tree, nothing allocated a row but the places of the values in a
//! list of related ones.

mod json_text;
mod link;
mod neighbours;
mod one;
mod page;
mod resource_object;
mod rows;
mod shape;
mod value_csv;
mod value_json;

use crate::cell::{MalformedRows, Row};

pub(crate) use link::Link;
pub use neighbours::Neighbours;
pub use one::OneEncoder;
pub use page::{PageEncoder, PageInfo};
pub use resource_object::ResourceShape;
pub(crate) use resource_object::{Linkage, Linked, Related};
pub use rows::{Layout, RowsEncoder};
pub(crate) use shape::List;
pub use shape::{BigIntegers, Shape};

/// What a row becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowShape {
    /// A nested object.
    Plain(Shape),
    /// A resource object of a JSON:API document.
    JsonApi(ResourceShape),
}

/// A value that cannot be encoded.
#[derive(Debug, thiserror::Error)]
#[error("a value cannot be encoded")]
pub struct EncodeError;

impl From<MalformedRows> for EncodeError {
    fn from(_: MalformedRows) -> Self {
        Self
    }
}

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
