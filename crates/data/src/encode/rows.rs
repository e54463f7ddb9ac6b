//! Every row of an export: an array, lines, a table.

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
                self.shape.write_json(row, out)?;
            }
            Layout::NdJson => {
                let start = out.len();
                self.shape.write_json(row, out)?;
                // Within JSON these are white space only, but here they would end the line.
                for byte in &mut out[start..] {
                    if matches!(byte, b'\n' | b'\r') {
                        *byte = b' ';
                    }
                }
                out.push(b'\n');
            }
            Layout::Csv => self.shape.write_csv(row, out)?,
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.layout == Layout::JsonArray {
            out.push(b']');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnKind;
    use crate::cell::Cell;

    struct One;

    impl Row for One {
        fn cell(&self, _: usize) -> Cell<'_> {
            Cell::Json(b"{\n\"a\": \"b\\n\"\r\n}")
        }
    }

    #[test]
    fn a_line_stays_one_line_whatever_json_is_stored() {
        let mut shape = Shape::default();
        shape.column("x", 0, ColumnKind::Json);
        let mut out = Vec::new();
        RowsEncoder::new(shape, Layout::NdJson)
            .row(&One, &mut out)
            .unwrap();
        let expected = "{\"x\":{ \"a\": \"b\\n\"  }}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
