//! A page of a list: `{"data":[…],"pagination":{…}}`, or a JSON:API document.

use std::sync::Arc;

use super::json_text::write_string;
use super::neighbours::Neighbours;
use super::resource_object::Included;
use super::{EncodeError, RowEncoder, RowShape};
use crate::cell::Row;
use crate::statement::Value;

/// What a page says about itself and its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageInfo {
    /// The page number; `None` for a page reached by cursor.
    pub page: Option<u64>,
    /// Rows a page.
    pub limit: u32,
    /// Rows of all pages, if they were counted.
    pub total: Option<u64>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl PageInfo {
    /// The number of pages, if the rows were counted. An empty list has one page.
    pub fn pages(&self) -> Option<u64> {
        self.total
            .map(|total| total.div_ceil(u64::from(self.limit.max(1))).max(1))
    }

    fn write_pagination(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"page\":");
        write_number(self.page, out);
        out.extend_from_slice(b",\"limit\":");
        write_number(Some(u64::from(self.limit)), out);
        out.extend_from_slice(b",\"total\":");
        write_number(self.total, out);
        out.extend_from_slice(b",\"pages\":");
        write_number(self.pages(), out);
        out.extend_from_slice(b",\"next\":");
        write_text(self.next.as_deref(), out);
        out.push(b'}');
    }
}

fn write_number(number: Option<u64>, out: &mut Vec<u8>) {
    match number {
        Some(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_text(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_string(text.as_bytes(), out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes the rows of a page, drops the one beyond it, and remembers where the next page begins.
#[derive(Debug, Clone)]
pub struct PageEncoder {
    shape: Arc<RowShape>,
    included: Included,
    limit: u32,
    key_indexes: Vec<usize>,
    written: u32,
    has_more: bool,
    last_key: Vec<Value>,
}

impl PageEncoder {
    /// At most `limit` rows of this shape; `key_indexes` is where the `SELECT` list has the sort keys.
    pub fn new(shape: impl Into<Arc<RowShape>>, limit: u32, key_indexes: Vec<usize>) -> Self {
        Self {
            shape: shape.into(),
            included: Included::default(),
            limit,
            key_indexes,
            written: 0,
            has_more: false,
            last_key: Vec::new(),
        }
    }

    /// Whether the statement gave a row beyond the page.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// How many rows were written.
    pub fn written(&self) -> u32 {
        self.written
    }

    /// Closes the document: `info` says where the page is, `neighbours` what is around it, `own` the
    /// address that was asked for.
    pub fn finish(&self, info: &PageInfo, neighbours: &Neighbours, own: &str, out: &mut Vec<u8>) {
        match &*self.shape {
            RowShape::Plain(_) => {
                out.extend_from_slice(b"],\"pagination\":");
                info.write_pagination(out);
            }
            RowShape::JsonApi(shape) => {
                out.push(b']');
                self.included.write(shape, out);
                out.extend_from_slice(b",\"links\":{\"self\":");
                write_string(own.as_bytes(), out);
                for (name, url) in [
                    ("first", Some(neighbours.first.as_str())),
                    ("prev", neighbours.prev.as_deref()),
                    ("next", neighbours.next.as_deref()),
                    ("last", neighbours.last.as_deref()),
                ] {
                    out.push(b',');
                    write_string(name.as_bytes(), out);
                    out.push(b':');
                    write_text(url, out);
                }
                out.extend_from_slice(b"},\"meta\":{\"page\":");
                info.write_pagination(out);
                out.push(b'}');
            }
        }
        out.push(b'}');
    }

    /// The sort-key values of the last row.
    pub fn last_key(&self) -> &[Value] {
        &self.last_key
    }
}

impl RowEncoder for PageEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        match &*self.shape {
            RowShape::Plain(_) => out.extend_from_slice(b"{\"data\":["),
            RowShape::JsonApi(_) => {
                out.extend_from_slice(b"{\"jsonapi\":{\"version\":\"1.1\"},\"data\":[");
            }
        }
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.written == self.limit {
            self.has_more = true;
            return Ok(());
        }
        if self.written > 0 {
            out.push(b',');
        }
        match &*self.shape {
            RowShape::Plain(shape) => shape.write_json(row, out)?,
            RowShape::JsonApi(shape) => {
                shape.write(row, out)?;
                self.included.add_of(shape, row)?;
            }
        }
        self.written += 1;
        if self.written == self.limit {
            self.last_key = self
                .key_indexes
                .iter()
                .map(|index| Value::from(row.cell(*index)))
                .collect();
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnKind;
    use crate::cell::Cell;
    use crate::encode::Shape;
    use crate::query::Dialect;

    struct One(i64);

    impl Row for One {
        fn cell(&self, _: usize) -> Cell<'_> {
            Cell::Integer(self.0)
        }
    }

    fn finish(encoder: &PageEncoder, info: &PageInfo, out: &mut Vec<u8>) {
        let neighbours = Neighbours::of("/p", "", info, Dialect::Plain);
        encoder.finish(info, &neighbours, "/p", out);
    }

    fn page(rows: std::ops::Range<i64>, limit: u32) -> (PageEncoder, Vec<u8>) {
        let mut shape = Shape::default();
        shape.column("id", 0, ColumnKind::Integer);
        let mut encoder = PageEncoder::new(RowShape::Plain(shape), limit, vec![0]);
        let mut out = Vec::new();
        encoder.begin(&mut out);
        for id in rows {
            encoder.row(&One(id), &mut out).unwrap();
        }
        encoder.end(&mut out);
        (encoder, out)
    }

    #[test]
    fn the_row_beyond_the_page_is_only_noticed() {
        let (encoder, mut out) = page(1..4, 2);
        assert!(encoder.has_more());
        assert_eq!(encoder.last_key(), [Value::Integer(2)]);
        let info = PageInfo {
            page: Some(1),
            limit: 2,
            total: Some(3),
            next: Some("abc".into()),
            has_more: true,
        };
        finish(&encoder, &info, &mut out);
        let expected = r#"{"data":[{"id":1},{"id":2}],"pagination":{"page":1,"limit":2,"total":3,"pages":2,"next":"abc"}}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_page_that_ends_the_list_has_no_next() {
        let (encoder, mut out) = page(1..3, 2);
        assert!(!encoder.has_more());
        let info = PageInfo {
            page: None,
            limit: 2,
            total: None,
            next: None,
            has_more: false,
        };
        finish(&encoder, &info, &mut out);
        assert!(
            String::from_utf8(out)
                .unwrap()
                .ends_with(r#""total":null,"pages":null,"next":null}}"#)
        );
    }
}
