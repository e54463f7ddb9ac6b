//! Rows as JSON:API 1.1 resource objects, and the related rows of a document, each once.

use std::collections::HashSet;

use super::json_text::write_string;
use super::shape::Shape;
use crate::cell::{Cell, Row};
use crate::plan::format_key;
use crate::statement::Value;

/// What one type's resource objects look like, and where their values stand in the `SELECT` list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceShape {
    /// The type's name.
    pub(crate) type_name: String,
    /// The columns of the id, in key order.
    pub(crate) id: Vec<usize>,
    /// The attributes.
    pub(crate) attributes: Shape,
    /// The relationships that are told.
    pub(crate) linked: Vec<Linkage>,
    /// The related rows that are put beside.
    pub(crate) included: Vec<ResourceShape>,
}

/// A relationship to at most one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linkage {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// The columns of the related row's id, in key order.
    pub(crate) id: Vec<usize>,
}

impl ResourceShape {
    /// Writes a row's resource object.
    pub(crate) fn write(&self, row: &dyn Row, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":");
        write_string(self.type_name.as_bytes(), out);
        out.extend_from_slice(b",\"id\":");
        write_string(id_of(row, &self.id).unwrap_or_default().as_bytes(), out);
        out.extend_from_slice(b",\"attributes\":");
        self.attributes.write_json(row, out);
        if !self.linked.is_empty() {
            out.extend_from_slice(b",\"relationships\":{");
            for (position, linkage) in self.linked.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                linkage.write(row, out);
            }
            out.push(b'}');
        }
        out.push(b'}');
    }
}

impl Linkage {
    fn write(&self, row: &dyn Row, out: &mut Vec<u8>) {
        write_string(self.name.as_bytes(), out);
        out.extend_from_slice(b":{\"data\":");
        match id_of(row, &self.id) {
            None => out.extend_from_slice(b"null"),
            Some(id) => {
                out.extend_from_slice(b"{\"type\":");
                write_string(self.type_name.as_bytes(), out);
                out.extend_from_slice(b",\"id\":");
                write_string(id.as_bytes(), out);
                out.push(b'}');
            }
        }
        out.push(b'}');
    }
}

/// The id in these columns; `None` when a part is `NULL`: then there is no row.
fn id_of(row: &dyn Row, columns: &[usize]) -> Option<String> {
    let part = |column: &usize| match row.cell(*column) {
        Cell::Null => None,
        cell => Some(Value::from(cell)),
    };
    let parts: Option<Vec<Value>> = columns.iter().map(part).collect();
    parts.map(|parts| format_key(&parts))
}

/// The `included` member of a document: each related row once, as the specification asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Included {
    seen: HashSet<(String, String)>,
    objects: Vec<u8>,
}

impl Included {
    /// Adds the rows related to one row.
    pub(crate) fn add(&mut self, shape: &ResourceShape, row: &dyn Row) {
        for related in &shape.included {
            let Some(id) = id_of(row, &related.id) else {
                continue;
            };
            if self.seen.insert((related.type_name.clone(), id)) {
                if !self.objects.is_empty() {
                    self.objects.push(b',');
                }
                related.write(row, &mut self.objects);
            }
            self.add(related, row);
        }
    }

    /// Writes the member, when something was to be included.
    pub(crate) fn write(&self, shape: &ResourceShape, out: &mut Vec<u8>) {
        if !shape.included.is_empty() {
            out.extend_from_slice(b",\"included\":[");
            out.extend_from_slice(&self.objects);
            out.push(b']');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnKind;

    struct Cells(Vec<Cell<'static>>);

    impl Row for Cells {
        fn cell(&self, index: usize) -> Cell<'_> {
            self.0[index]
        }
    }

    fn post() -> ResourceShape {
        let mut title = Shape::default();
        title.column("title", 1, ColumnKind::Text);
        let mut name = Shape::default();
        name.column("name", 3, ColumnKind::Text);
        let author = ResourceShape {
            type_name: "user".to_owned(),
            id: vec![2],
            attributes: name,
            linked: Vec::new(),
            included: Vec::new(),
        };
        let linkage = Linkage {
            name: "author".to_owned(),
            type_name: "user".to_owned(),
            id: vec![2],
        };
        ResourceShape {
            type_name: "post".to_owned(),
            id: vec![0],
            attributes: title,
            linked: vec![linkage],
            included: vec![author],
        }
    }

    #[test]
    fn a_row_is_an_object_with_linkage_and_related_rows_come_once() {
        let row = |id, author| {
            Cells(vec![
                Cell::Integer(id),
                Cell::Text(b"T"),
                author,
                Cell::Text(b"Ada"),
            ])
        };
        let mut out = Vec::new();
        let mut included = Included::default();
        for row in [
            row(1, Cell::Integer(7)),
            row(2, Cell::Integer(7)),
            row(3, Cell::Null),
        ] {
            post().write(&row, &mut out);
            included.add(&post(), &row);
        }
        included.write(&post(), &mut out);
        let expected = concat!(
            r#"{"type":"post","id":"1","attributes":{"title":"T"},"relationships":{"author":{"data":{"type":"user","id":"7"}}}}"#,
            r#"{"type":"post","id":"2","attributes":{"title":"T"},"relationships":{"author":{"data":{"type":"user","id":"7"}}}}"#,
            r#"{"type":"post","id":"3","attributes":{"title":"T"},"relationships":{"author":{"data":null}}}"#,
            r#","included":[{"type":"user","id":"7","attributes":{"name":"Ada"}}]"#,
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
