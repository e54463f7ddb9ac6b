//! What makes two requests the same: digests and keys over parsed queries, never over their text.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::order::Order;
use crate::cursor::Binding;
use crate::query::{Filter, ListQuery, OneQuery, Position, SortKey, name};
use crate::resource::{Resource, Resources};
use crate::statement::Value;

/// Collects what is hashed: the derived order of fields is the same for equal values.
#[derive(Default)]
struct Collector(Vec<u8>);

impl Hasher for Collector {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

impl Collector {
    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(0),
            Value::Integer(number) => {
                self.0.push(1);
                self.0.extend_from_slice(&number.to_le_bytes());
            }
            Value::Real(number) => {
                self.0.push(2);
                self.0.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Value::Text(text) => {
                self.0.push(3);
                self.text(text);
            }
            Value::RawText(bytes) | Value::Blob(bytes) => {
                self.0.push(4);
                self.0
                    .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                self.0.extend_from_slice(bytes);
            }
        }
    }

    fn filters(&mut self, filters: &[Filter]) {
        filters.len().hash(self);
        for filter in filters {
            filter.path.hash(self);
            filter.field.hash(self);
            filter.operator.hash(self);
            filter.values.len().hash(self);
            for value in &filter.values {
                self.value(value);
            }
        }
    }
}

/// What a cursor is bound to: the table by name, the sort and the filters by the names of their fields,
/// so that it outlives a change of the schema that does not concern them; and the directions of the whole
/// order, tie-breakers too.
pub(super) fn binding(
    resources: &Resources,
    resource: &Resource,
    (filters, sort): (&[Filter], &[SortKey]),
    order: &Order,
) -> Binding {
    let mut bytes = Collector::default();
    bytes.text(&resource.name);
    for key in sort {
        bytes.text(&name(resources, resource, &key.path, key.field));
        key.descending.hash(&mut bytes);
    }
    bytes.text("");
    for filter in filters {
        bytes.text(&name(resources, resource, &filter.path, filter.field));
    }
    bytes.filters(filters);
    for key in &order.keys {
        key.descending.hash(&mut bytes);
    }
    Binding::of(&blake3::hash(&bytes.0))
}

/// The key of a page.
pub(super) fn list_key(query: &ListQuery) -> Arc<[u8]> {
    let mut bytes = Collector(vec![b'l']);
    query.resource.hash(&mut bytes);
    query.dialect.hash(&mut bytes);
    query.selection.hash(&mut bytes);
    query.sort.hash(&mut bytes);
    query.limit.hash(&mut bytes);
    query.count.hash(&mut bytes);
    match &query.position {
        Position::Page(page) => page.hash(&mut bytes),
        Position::Cursor(cursor) => bytes.text(cursor),
    }
    bytes.filters(&query.filters);
    query.viewer.hash(&mut bytes);
    bytes.0.into()
}

/// The key of a row's representation.
pub(super) fn one_key(query: &OneQuery, key: &[Value]) -> Arc<[u8]> {
    let mut bytes = Collector(vec![b'o']);
    query.resource.hash(&mut bytes);
    query.dialect.hash(&mut bytes);
    query.enveloped.hash(&mut bytes);
    query.selection.hash(&mut bytes);
    for value in key {
        bytes.value(value);
    }
    query.viewer.hash(&mut bytes);
    bytes.0.into()
}
