//! A page of a list: `{"data":[…],"pagination":{…}}`.

use super::shape::Shape;
use super::{EncodeError, RowEncoder};
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

    /// Closes the document that [`PageEncoder`] has begun.
    pub fn write_end(&self, out: &mut Vec<u8>) {
        let number = |number: Option<u64>, out: &mut Vec<u8>| match number {
            Some(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            None => out.extend_from_slice(b"null"),
        };
        out.extend_from_slice(b"],\"pagination\":{\"page\":");
        number(self.page, out);
        out.extend_from_slice(b",\"limit\":");
        number(Some(u64::from(self.limit)), out);
        out.extend_from_slice(b",\"total\":");
        number(self.total, out);
        out.extend_from_slice(b",\"pages\":");
        number(self.pages(), out);
        out.extend_from_slice(b",\"next\":");
        match &self.next {
            // Base64url needs no escape.
            Some(cursor) => {
                out.push(b'"');
                out.extend_from_slice(cursor.as_bytes());
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}}");
    }
}

/// Writes the rows of a page, drops the one beyond it, and remembers where the next page begins.
#[derive(Debug, Clone)]
pub struct PageEncoder {
    shape: Shape,
    limit: u32,
    key_indexes: Vec<usize>,
    written: u32,
    has_more: bool,
    last_key: Vec<Value>,
}

impl PageEncoder {
    /// At most `limit` rows of this shape; `key_indexes` is where the `SELECT` list has the sort keys.
    pub fn new(shape: Shape, limit: u32, key_indexes: Vec<usize>) -> Self {
        Self {
            shape,
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

    /// The sort-key values of the last row.
    pub fn last_key(&self) -> &[Value] {
        &self.last_key
    }
}

impl RowEncoder for PageEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"data\":[");
    }

    fn row(&mut self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.written == self.limit {
            self.has_more = true;
            return Ok(());
        }
        if self.written > 0 {
            out.push(b',');
        }
        self.shape.write_json(row, out);
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

    struct One(i64);

    impl Row for One {
        fn cell(&self, _: usize) -> Cell<'_> {
            Cell::Integer(self.0)
        }
    }

    fn page(rows: std::ops::Range<i64>, limit: u32) -> (PageEncoder, Vec<u8>) {
        let mut shape = Shape::default();
        shape.column("id", 0, ColumnKind::Integer);
        let mut encoder = PageEncoder::new(shape, limit, vec![0]);
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
        info.write_end(&mut out);
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
        info.write_end(&mut out);
        assert!(
            String::from_utf8(out)
                .unwrap()
                .ends_with(r#""total":null,"pages":null,"next":null}}"#)
        );
    }
}
