//! Primary and foreign keys, and checks.

use std::collections::HashMap;

use serde::Deserialize;

use super::ask::{Ask, ReadError, rows};
use crate::catalog::{Check, ForeignKey, Table};

/// Those that partitions inherit are left out.
const KEYS: &str = "\
    SELECT pg_catalog.json_build_array(k.conrelid::int8, k.contype::text, k.conkey, n.nspname, f.relname, \
        ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place) \
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place), k.conname)::text \
    FROM pg_catalog.pg_constraint k \
    LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid \
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace \
    WHERE k.contype IN ('p', 'f', 'c') AND k.conparentid = 0 AND k.conkey IS NOT NULL ORDER BY k.conrelid, k.oid";

/// Keys by the relation they belong to.
#[derive(Debug)]
pub(super) struct Keys(HashMap<u32, Vec<Key>>);

#[derive(Debug)]
struct Key {
    columns: Vec<i16>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Primary,
    /// Schema, table and columns it refers to.
    Foreign(String, String, Vec<String>),
    /// The name of a `CHECK`.
    Check(String),
}

/// A row of [`KEYS`]. What only foreign keys have is `NULL` for the others.
#[derive(Debug, Deserialize)]
struct Listed {
    relation: u32,
    class: String,
    columns: Vec<i16>,
    schema: Option<String>,
    table: Option<String>,
    references: Vec<String>,
    name: String,
}

pub(super) async fn read<A: Ask>(ask: &A) -> Result<Keys, ReadError<A::Error>> {
    let mut keys: HashMap<u32, Vec<Key>> = HashMap::new();
    for listed in rows::<Listed, A>(ask, KEYS).await? {
        let kind = match (listed.class.as_str(), listed.schema, listed.table) {
            ("p", ..) => Kind::Primary,
            ("f", Some(schema), Some(table)) => Kind::Foreign(schema, table, listed.references),
            _ => Kind::Check(listed.name),
        };
        keys.entry(listed.relation).or_default().push(Key {
            columns: listed.columns,
            kind,
        });
    }
    Ok(Keys(keys))
}

impl Keys {
    /// Gives a table its keys. One of which the role may not select every column is none.
    pub(super) fn put(
        &mut self,
        relation: u32,
        place: &impl Fn(&i16) -> Option<usize>,
        table: &mut Table,
    ) {
        for key in self.0.remove(&relation).unwrap_or_default() {
            let Some(columns) = key.columns.iter().map(place).collect::<Option<Vec<_>>>() else {
                continue;
            };
            match key.kind {
                Kind::Primary => {
                    for (position, &column) in columns.iter().enumerate() {
                        table.columns[column].key_position = Some(position);
                    }
                    table.primary_key = columns;
                }
                Kind::Check(name) => table.checks.push(Check { name, columns }),
                Kind::Foreign(schema, name, references) => table.foreign_keys.push(ForeignKey {
                    columns,
                    schema: Some(schema),
                    table: name,
                    references,
                }),
            }
        }
    }
}
