//! Encoders of whole answers without paging: one object, an array, lines, a table.

use super::shape::Shape;
use super::{EncodeError, RowEncoder};
use crate::cell::Row;

/// How rows follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[{…},{…}]`
    JsonArray,
    /// One object a line, `application/x-ndjson`.
    NdJson,
    /// A line of names, then one line a row (RFC 4180).
    Csv,
}

/// Every row of an export.
#[derive(Debug, Clone)]
pub struct RowsEncoder {
    shape: Shape,
    layout: Layout,
    is_first: bool,
}

impl RowsEncoder {
    /// Rows of this shape in this layout.
    pub fn new(shape: Shape, layout: Layout) -> Self {
        Self {
            shape,
            layout,
            is_first: true,
        }
    }
}

impl RowEncoder for RowsEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        match self.layout {
            Layout::JsonArray => out.push(b'['),
            Layout::NdJson => {}
            Layout::Csv => self.shape.write_csv_header(out),
        }
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.layout {
            Layout::JsonArray => {
                if !std::mem::take(&mut self.is_first) {
                    out.push(b',');
                }
                self.shape.write_json(row, out);
            }
            Layout::NdJson => {
                self.shape.write_json(row, out);
                out.push(b'\n');
            }
            Layout::Csv => self.shape.write_csv(row, out),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.layout == Layout::JsonArray {
            out.push(b']');
        }
    }
}

/// One row: `{…}`, or `{"data":{…}}`. Remembers the row's version where the statement gives one.
#[derive(Debug, Clone)]
pub struct OneEncoder {
    shape: Shape,
    is_enveloped: bool,
    version_index: Option<usize>,
    version: Option<String>,
}

impl OneEncoder {
    /// A row of this shape; `version_index` is where the `SELECT` list has its version.
    pub fn new(shape: Shape, is_enveloped: bool, version_index: Option<usize>) -> Self {
        Self {
            shape,
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
        if self.is_enveloped {
            out.extend_from_slice(b"{\"data\":");
        }
        self.shape.write_json(row, out);
        if self.is_enveloped {
            out.push(b'}');
        }
        self.version = self.version_index.and_then(|index| match row.cell(index) {
            crate::Cell::Text(text) => String::from_utf8(text.to_vec()).ok(),
            _ => None,
        });
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}
