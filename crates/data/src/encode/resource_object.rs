//! Rows as JSON:API 1.1 resource objects, and the related rows of a document, each once.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::EncodeError;
use super::json_text::write_string;
use super::link::Link;
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
    pub(crate) included: Vec<Related>,
}

/// Rows that are put beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Related {
    /// At most one, whose values are among those of the row.
    One(ResourceShape),
    /// Those in one column, with values of their own.
    Many {
        place: usize,
        limit: u32,
        shape: ResourceShape,
    },
}

/// A relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linkage {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) linked: Linked,
}

/// Which rows a relationship names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Linked {
    /// At most one: the columns of its id, in key order.
    One(Vec<usize>),
    /// Those in one column.
    Many {
        place: usize,
        limit: u32,
        /// The columns of their ids, among their own values.
        id: Vec<usize>,
        /// The list of all of them.
        related: Option<Link>,
        /// Where those beyond the limit are.
        next: Option<Link>,
    },
    /// None, only the list they are in.
    Elsewhere(Link),
}

impl ResourceShape {
    /// Writes a row's resource object.
    ///
    /// # Errors
    /// Related rows have not the form they should.
    pub(crate) fn write(&self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(b"{\"type\":");
        write_string(self.type_name.as_bytes(), out);
        out.extend_from_slice(b",\"id\":");
        write_string(id_of(row, &self.id).unwrap_or_default().as_bytes(), out);
        out.extend_from_slice(b",\"attributes\":");
        self.attributes.write_json(row, out)?;
        if !self.linked.is_empty() {
            out.extend_from_slice(b",\"relationships\":{");
            for (position, linkage) in self.linked.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                linkage.write(row, out)?;
            }
            out.push(b'}');
        }
        out.push(b'}');
        Ok(())
    }
}

impl Linkage {
    fn write(&self, row: &dyn Row, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write_string(self.name.as_bytes(), out);
        match &self.linked {
            Linked::One(id) => {
                out.extend_from_slice(b":{\"data\":");
                match id_of(row, id) {
                    None => out.extend_from_slice(b"null"),
                    Some(id) => self.write_identifier(&id, out),
                }
            }
            Linked::Many {
                place,
                limit,
                id,
                related,
                next,
            } => {
                out.extend_from_slice(b":{\"data\":[");
                let mut shown = 0;
                let mut is_cut = false;
                row.rows(*place).each(|target| {
                    if shown == *limit {
                        is_cut = true;
                        return Ok::<(), EncodeError>(());
                    }
                    if shown > 0 {
                        out.push(b',');
                    }
                    shown += 1;
                    self.write_identifier(&id_of(target, id).unwrap_or_default(), out);
                    Ok(())
                })?;
                out.push(b']');
                write_links(row, related.as_ref(), (is_cut, next.as_ref()), out);
            }
            Linked::Elsewhere(list) => {
                out.extend_from_slice(b":{\"links\":{\"related\":");
                list.write(row, out);
                out.push(b'}');
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn write_identifier(&self, id: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":");
        write_string(self.type_name.as_bytes(), out);
        out.extend_from_slice(b",\"id\":");
        write_string(id.as_bytes(), out);
        out.push(b'}');
    }
}

/// Writes the links of a relationship to many. `next` counts when rows are left out, and may then have no address.
fn write_links(
    row: &dyn Row,
    related: Option<&Link>,
    (is_cut, next): (bool, Option<&Link>),
    out: &mut Vec<u8>,
) {
    if related.is_none() && !is_cut {
        return;
    }
    out.extend_from_slice(b",\"links\":{");
    if let Some(related) = related {
        out.extend_from_slice(b"\"related\":");
        related.write(row, out);
    }
    if is_cut {
        if related.is_some() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"next\":");
        match next {
            Some(next) => next.write(row, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
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

/// Type and id: no two objects of a document have both in common.
type Identity = (String, String);

/// The `included` member of a document: each related row once, as the specification asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Included {
    /// The rows of the document itself.
    primary: HashSet<Identity>,
    /// Where each object stands among `objects`.
    known: HashMap<Identity, usize>,
    /// The objects, and how many of their relations are included too.
    objects: Vec<(Identity, Range<usize>, usize)>,
    bytes: Vec<u8>,
}

impl Included {
    /// Adds the rows related to a row of the document.
    pub(crate) fn add_of(
        &mut self,
        shape: &ResourceShape,
        row: &dyn Row,
    ) -> Result<(), EncodeError> {
        if shape.included.is_empty() {
            return Ok(());
        }
        if let Some(id) = id_of(row, &shape.id) {
            self.primary.insert((shape.type_name.clone(), id));
        }
        self.add_related(shape, row)
    }

    fn add_related(&mut self, shape: &ResourceShape, row: &dyn Row) -> Result<(), EncodeError> {
        for related in &shape.included {
            match related {
                Related::One(shape) => self.add(shape, row)?,
                Related::Many {
                    place,
                    limit,
                    shape,
                } => {
                    let mut shown = 0;
                    row.rows(*place).each(|target| {
                        shown += 1;
                        if shown > *limit {
                            return Ok(());
                        }
                        self.add(shape, target)
                    })?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, shape: &ResourceShape, row: &dyn Row) -> Result<(), EncodeError> {
        let Some(id) = id_of(row, &shape.id) else {
            return Ok(());
        };
        let identity = (shape.type_name.clone(), id);
        let known = self.known.get(&identity).copied();
        // Of two objects of one row that which links more counts: what it links is in the document.
        if known.is_none_or(|place| self.objects[place].2 < shape.included.len()) {
            let start = self.bytes.len();
            shape.write(row, &mut self.bytes)?;
            let object = (
                identity.clone(),
                start..self.bytes.len(),
                shape.included.len(),
            );
            if let Some(place) = known {
                self.objects[place] = object;
            } else {
                self.known.insert(identity, self.objects.len());
                self.objects.push(object);
            }
        }
        self.add_related(shape, row)
    }

    /// Writes the member, when something was to be included.
    pub(crate) fn write(&self, shape: &ResourceShape, out: &mut Vec<u8>) {
        if shape.included.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"included\":[");
        let others = self
            .objects
            .iter()
            .filter(|(identity, ..)| !self.primary.contains(identity));
        for (position, (_, range, _)) in others.enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.bytes[range.clone()]);
        }
        out.push(b']');
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
            linked: Linked::One(vec![2]),
        };
        ResourceShape {
            type_name: "post".to_owned(),
            id: vec![0],
            attributes: title,
            linked: vec![linkage],
            included: vec![Related::One(author)],
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
            post().write(&row, &mut out).unwrap();
            included.add_of(&post(), &row).unwrap();
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
