//! `ORDER BY` with a tie-breaker, so that every row has one place.

use super::columns::column;
use crate::query::SortKey;
use crate::resource::{Resource, Resources};

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderKey {
    /// The column in SQL.
    pub(super) expression: String,
    /// The column, by index in the table; `None` for the rowid.
    pub(super) column: Option<usize>,
    /// Largest first.
    pub(super) descending: bool,
    /// Whether it may be `NULL`.
    pub(super) nullable: bool,
}

/// The keys of a list's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) keys: Vec<OrderKey>,
    /// Whether no two rows have the same place: only then can a cursor lead from one to the next.
    pub(super) is_total: bool,
}

impl Order {
    /// The order asked for, followed by the primary key or the rowid in the direction of the last key,
    /// so that one walk over an index serves both. A view has no tie-breaker.
    pub(super) fn of(resources: &Resources, resource: &Resource, sort: &[SortKey]) -> Self {
        let table = resources.table_of(resource);
        let key = |column_index: usize, descending: bool| OrderKey {
            expression: column(resources, resource, 0, column_index),
            column: Some(column_index),
            descending,
            nullable: table.columns[column_index].nullable,
        };
        let mut keys: Vec<OrderKey> = sort
            .iter()
            .map(|sort| key(resource.fields[sort.field].column, sort.descending))
            .collect();
        let descending = keys.last().is_some_and(|key| key.descending);
        let mut is_total = true;
        if table.key_is_unique() {
            for &column_index in &table.primary_key {
                if !keys.iter().any(|key| key.column == Some(column_index)) {
                    keys.push(key(column_index, descending));
                }
            }
        } else if let Some(rowid) = table.rowid() {
            let expression = format!("t0.{}", rowid.name());
            keys.push(OrderKey {
                expression,
                column: None,
                descending,
                nullable: false,
            });
        } else {
            is_total = false;
        }
        Self { keys, is_total }
    }

    /// Whether all keys go one way and none is ever `NULL`.
    pub(super) fn is_plain(&self) -> bool {
        self.keys
            .iter()
            .all(|key| !key.nullable && key.descending == self.keys[0].descending)
    }

    /// ` ORDER BY …`, or nothing.
    pub(super) fn sql(&self) -> String {
        let terms: Vec<String> = self
            .keys
            .iter()
            .map(|key| {
                format!(
                    "{}{}",
                    key.expression,
                    if key.descending { " DESC" } else { "" }
                )
            })
            .collect();
        if terms.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", terms.join(", "))
        }
    }
}
