//! One row by its key.

use std::sync::Arc;

use super::canonical;
use super::columns::{Columns, column};
use super::condition::Conditions;
use crate::catalog::{Shown, TableId};
use crate::encode::{OneEncoder, RowShape};
use crate::query::{Dialect, OneQuery, Selection, typed};
use crate::resource::{AccessVerb, Resource, ResourceId, Resources};
use crate::statement::{Statement, Value};
use crate::write::ReadBack;

/// The longest key in a path, in bytes, still percent-encoded.
const LONGEST_KEY: usize = 1024;

/// The values of the key in a path segment that is still percent-encoded: its parts joined by commas, in
/// key order. `None` when it cannot be the key of any row.
pub fn parse_key(resources: &Resources, resource: &Resource, segment: &str) -> Option<Vec<Value>> {
    if segment.len() > LONGEST_KEY || !resource.has_key() {
        return None;
    }
    let parts: Vec<&str> = match resource.key.len() {
        1 => vec![segment],
        _ => segment.split(',').collect(),
    };
    if parts.len() != resource.key.len() {
        return None;
    }
    let table = resources.table_of(resource);
    let value = |(part, &column): (&str, &usize)| {
        let text = percent_encoding::percent_decode_str(part)
            .decode_utf8()
            .ok()?;
        let column = &table.columns[column];
        let labels = column.labels.as_deref();
        if labels.is_some_and(|labels| labels.iter().all(|label| *label != text)) {
            return None;
        }
        typed(column.kind, &text)
    };
    parts.into_iter().zip(&resource.key).map(value).collect()
}

/// The key of a row as it stands in a path: the inverse of [`parse_key`].
pub fn format_key(key: &[Value]) -> String {
    const PLAIN: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    let part = |value: &Value| match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => percent_encoding::utf8_percent_encode(text, PLAIN).to_string(),
        Value::RawText(bytes) | Value::Blob(bytes) => {
            percent_encoding::percent_encode(bytes, PLAIN).to_string()
        }
    };
    key.iter().map(part).collect::<Vec<_>>().join(",")
}

/// One row, ready to be read.
#[derive(Debug, Clone)]
pub struct OnePlan {
    /// Reads the row.
    pub statement: Statement,
    /// The tables it depends on, the base table first.
    pub tables: Vec<TableId>,
    /// The resources whose rows it tells of, the base first: who may read the row may read all of them.
    pub resources: Vec<ResourceId>,
    /// The resources of which it tells rows within this one, and what is done with them.
    pub nested: Vec<(ResourceId, AccessVerb)>,
    /// Whether it is the viewer's own, for rows in it belong to somebody.
    pub is_personal: bool,
    /// Equal for requests that have the same answer while the tables do not change.
    pub key: Arc<[u8]>,
    /// Which conventions the answer follows.
    pub dialect: Dialect,
    shape: Arc<RowShape>,
    is_enveloped: bool,
    version_index: Option<usize>,
}

impl OnePlan {
    /// Plans a parsed request for the row with this key. The row's version is read along where the
    /// resource can be written.
    pub fn new(resources: &Resources, query: &OneQuery, key: &[Value]) -> Self {
        Self::guarded(resources, query, key, true)
    }

    /// All exposed fields of a row, whoever owns it: for what the service does by itself. Its values are the parts of
    /// the key alone.
    pub fn whole(resources: &Resources, resource: &Resource) -> Self {
        let query = OneQuery {
            resource: resource.id,
            selection: Selection::whole(resource),
            enveloped: false,
            dialect: Dialect::Plain,
            viewer: None,
        };
        let key = vec![Value::Null; resource.key.len()];
        Self::guarded(resources, &query, &key, false)
    }

    fn guarded(resources: &Resources, query: &OneQuery, key: &[Value], is_guarded: bool) -> Self {
        let resource = resources.get(query.resource);
        let table = resources.table_of(resource);
        let dialect = resources.catalog().dialect();
        let viewer = query.viewer.as_ref();
        let (mut columns, shape) =
            Columns::in_dialect(resources, &query.selection, query.dialect, viewer);
        let version_index = resource
            .is_writable()
            .then(|| columns.item(dialect.row_version(table, "t0"), Shown::AsIs));
        // The key comes last: whoever reads a written row back knows it only then.
        let mut conditions = Conditions::after(dialect, columns.values(), viewer);
        if is_guarded {
            conditions.own_rows(resources, resource, AccessVerb::Read);
        }
        let is_personal = conditions.is_personal || columns.is_personal();
        let equal: Vec<String> = resource
            .key
            .iter()
            .zip(key)
            .map(|(&index, value)| {
                let left = column(resources, resource, 0, index);
                let target = dialect.parameter_type(&table.columns[index]);
                format!("{left} = {}", conditions.bind(value, target))
            })
            .collect();
        let sql = columns.select(table) + &conditions.sql_and(&equal.join(" AND ")) + " LIMIT 1";
        Self {
            statement: Statement {
                sql: sql.into(),
                values: conditions.values,
            },
            tables: columns.tables().to_vec(),
            resources: columns.resources().to_vec(),
            nested: columns.nested().to_vec(),
            is_personal,
            key: canonical::one_key(query, key),
            dialect: query.dialect,
            shape: shape.into(),
            is_enveloped: query.enveloped,
            version_index,
        }
    }

    /// Reads the row of a write whose key is not known yet. A row that is not the viewer's gives no row.
    pub fn read_back(resources: &Resources, query: &OneQuery) -> ReadBack<OneEncoder> {
        let resource = resources.get(query.resource);
        let plan = Self::new(resources, query, &vec![Value::Null; resource.key.len()]);
        let mut values = plan.statement.values.clone();
        values.truncate(values.len() - resource.key.len());
        ReadBack {
            encoder: plan.encoder(),
            sql: plan.statement.sql,
            values,
        }
    }

    /// The encoder of the row.
    pub fn encoder(&self) -> OneEncoder {
        OneEncoder::new(
            Arc::clone(&self.shape),
            self.is_enveloped,
            self.version_index,
        )
    }
}
