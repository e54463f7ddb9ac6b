//! Indexes: which searches and orders they serve.

use std::collections::HashMap;

use super::ask::{Ask, ReadError, rows};
use crate::catalog::{Index, IndexColumn};

/// Only B-trees serve both, and only a column in its type's usual order serves ours: one with an operator class
/// or a collation of its own counts as an expression. In `indoption` bit 0 is `DESC`, bit 1 `NULLS FIRST`.
const INDEXES: &str = "\
    SELECT pg_catalog.json_build_array(i.indrelid::int8, c.relname, i.indisunique AND i.indimmediate, i.indpred IS NOT NULL, \
        ARRAY(SELECT CASE WHEN o.opcdefault AND (u.ordering = 0 OR u.ordering = a.attcollation) \
                THEN u.number ELSE 0 END \
            FROM unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[]) \
                WITH ORDINALITY AS u(number, class, ordering, place) \
            JOIN pg_catalog.pg_opclass o ON o.oid = u.class \
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number \
            WHERE u.place <= i.indnkeyatts ORDER BY u.place)::int2[], \
        i.indoption::int2[])::text \
    FROM pg_catalog.pg_index i \
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
    JOIN pg_catalog.pg_am m ON m.oid = c.relam \
    WHERE m.amname = 'btree' AND i.indisvalid ORDER BY i.indrelid, i.indexrelid";

const DESCENDING: i16 = 1;
const NULLS_FIRST: i16 = 2;

/// Indexes by the relation they belong to.
#[derive(Debug)]
pub(super) struct Indexes(HashMap<u32, Vec<Listed>>);

#[derive(Debug)]
struct Listed {
    name: String,
    unique: bool,
    partial: bool,
    /// Numbers of columns, 0 for an expression.
    keys: Vec<i16>,
    options: Vec<i16>,
}

type Row = (u32, String, bool, bool, Vec<i16>, Vec<i16>);

pub(super) async fn read<A: Ask>(ask: &A) -> Result<Indexes, ReadError<A::Error>> {
    let mut indexes: HashMap<u32, Vec<Listed>> = HashMap::new();
    for (relation, name, unique, partial, keys, options) in rows::<Row, A>(ask, INDEXES).await? {
        indexes.entry(relation).or_default().push(Listed {
            name,
            unique,
            partial,
            keys,
            options,
        });
    }
    Ok(Indexes(indexes))
}

impl Indexes {
    /// Takes out the indexes of a relation.
    pub(super) fn of(
        &mut self,
        relation: u32,
        place: &impl Fn(&i16) -> Option<usize>,
    ) -> Vec<Index> {
        let listed = self.0.remove(&relation).unwrap_or_default().into_iter();
        let column = |(number, option): (&i16, &i16)| IndexColumn {
            column: place(number),
            descending: option & DESCENDING != 0,
            nulls_last: option & NULLS_FIRST == 0,
        };
        listed
            .map(|listed| Index {
                columns: listed
                    .keys
                    .iter()
                    .zip(&listed.options)
                    .map(column)
                    .collect(),
                name: listed.name,
                unique: listed.unique,
                partial: listed.partial,
            })
            .collect()
    }
}
