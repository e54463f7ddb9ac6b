//! Which tables and views there are for the role.

use serde::Deserialize;

use super::ask::{Ask, ReadError, rows};
use crate::catalog::{Column, Table, TableId};

/// What the role may select something of, in the order of the search path. `reltuples` counts the rows at the
/// last `ANALYZE`; the file may have grown since.
const RELATIONS: &str = "\
    SELECT pg_catalog.json_build_array(c.oid::int8, n.nspname, c.relname, c.relkind::text, \
        CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples::float8 / c.relpages \
            * (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8) END, \
        c.relkind <> 'f' AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))::text \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = ANY (pg_catalog.current_schemas(false)) \
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition \
        AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT') \
    ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname), c.oid";

/// One of them: a row of [`RELATIONS`].
#[derive(Debug, Deserialize)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    kind: String,
    /// Its rows, as far as statistics tell.
    pub(super) estimated: Option<f64>,
    /// Whether its rows can be counted here and now: all of it may be selected, and it is here.
    pub(super) countable: bool,
}

pub(super) async fn list<A: Ask>(ask: &A) -> Result<Vec<Relation>, ReadError<A::Error>> {
    rows(ask, RELATIONS).await
}

impl Relation {
    /// Whether its rows are stored, be it elsewhere.
    pub(super) fn is_stored(&self) -> bool {
        self.kind != "v"
    }

    /// The table, without keys and indexes yet.
    pub(super) fn table(&self, columns: Vec<Column>) -> Table {
        Table {
            id: TableId::from_index(0),
            schema: Some(self.schema.clone()),
            name: self.name.clone(),
            columns,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            is_view: matches!(self.kind.as_str(), "v" | "m" | "f"),
            without_rowid: true,
            approximate_rows: None,
        }
    }
}
