//! One row: an object, an object in an envelope, or a JSON:API document.

use std::sync::Arc;

use super::resource_object::Included;
use super::{EncodeError, RowEncoder, RowShape};
use crate::cell::{Cell, Row};

/// One row: `{…}`, `{"data":{…}}` or a document. Remembers the row's version where the statement gives one.
#[derive(Debug, Clone)]
pub struct OneEncoder {
    shape: Arc<RowShape>,
    is_enveloped: bool,
    version_index: Option<usize>,
    version: Option<String>,
}

impl OneEncoder {
    /// A row of this shape; `version_index` is where the `SELECT` list has its version.
    pub fn new(
        shape: impl Into<Arc<RowShape>>,
        is_enveloped: bool,
        version_index: Option<usize>,
    ) -> Self {
        Self {
            shape: shape.into(),
            is_enveloped,
            version_index,
            version: None,
        }
    }

    /// The version of the row that was encoded.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl RowEncoder for OneEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match &*self.shape {
            RowShape::Plain(shape) if self.is_enveloped => {
                out.extend_from_slice(b"{\"data\":");
                shape.write_json(row, out)?;
                out.push(b'}');
            }
            RowShape::Plain(shape) => shape.write_json(row, out)?,
            RowShape::JsonApi(shape) => {
                out.extend_from_slice(b"{\"jsonapi\":{\"version\":\"1.1\"},\"data\":");
                shape.write(row, out)?;
                let mut included = Included::default();
                included.add_of(shape, row)?;
                included.write(shape, out);
                out.push(b'}');
            }
        }
        self.version = self.version_index.and_then(|index| match row.cell(index) {
            Cell::Text(text) => String::from_utf8(text.to_vec()).ok(),
            _ => None,
        });
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}
