//! Indexes and primary keys.

use std::collections::HashMap;

use super::{Source, Told, optional, text};
use crate::catalog::{Index, IndexColumn, Table};

/// One row a column. Indexes for full text and shapes serve no order.
const INDEXES: &str = "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, COLLATION \
    FROM information_schema.STATISTICS \
    WHERE TABLE_SCHEMA = DATABASE() AND INDEX_TYPE IN ('BTREE', 'HASH') \
    ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX";

/// The name of every primary key.
const PRIMARY: &str = "PRIMARY";

/// Indexes by the table they belong to.
#[derive(Debug)]
pub(super) struct Indexes(HashMap<String, Vec<Told>>);

pub(super) async fn read<S: Source>(conn: &mut S) -> Result<Indexes, S::Error> {
    let mut all: HashMap<String, Vec<Told>> = HashMap::new();
    for row in conn.rows(INDEXES).await? {
        all.entry(text(&row, 0)).or_default().push(row);
    }
    Ok(Indexes(all))
}

impl Indexes {
    /// Gives a table its indexes and its primary key. What is kept of a column that may not be selected is nothing.
    pub(super) fn put(&mut self, table: &mut Table) {
        let place =
            |name: &str, table: &Table| table.columns.iter().position(|column| column.name == name);
        let mut indexes: Vec<Index> = Vec::new();
        for row in self.0.remove(&table.name).unwrap_or_default() {
            let (name, is_unique) = (text(&row, 1), text(&row, 2) == "0");
            if indexes.last().is_none_or(|last| last.name != name) {
                indexes.push(Index {
                    name,
                    unique: is_unique,
                    partial: false,
                    columns: Vec::new(),
                });
            }
            let index = indexes.last_mut().expect("one was just put there");
            // A part of a text tells nothing of the order of the whole, nor whether it is unique.
            index.partial |= optional(&row, 4).is_some();
            let descending = text(&row, 5) == "D";
            index.columns.push(IndexColumn {
                column: optional(&row, 3).and_then(|name| place(&name, table)),
                descending,
                nulls_last: descending,
            });
        }
        let primary = indexes.iter().find(|index| index.name == PRIMARY);
        let key: Option<Vec<usize>> = primary
            .filter(|index| !index.partial)
            .and_then(|index| index.columns.iter().map(|column| column.column).collect());
        table.primary_key = key.unwrap_or_default();
        for (position, &column) in table.primary_key.iter().enumerate() {
            table.columns[column].key_position = Some(position);
        }
        table.indexes = indexes;
    }
}
