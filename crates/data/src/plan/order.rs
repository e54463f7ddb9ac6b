//! `ORDER BY` with a tie-breaker, so that every row has one place.

use super::columns::{Columns, column};
use crate::catalog::{Index, Table};
use crate::query::{Filter, Operator, SortKey, end};
use crate::resource::{Resource, Resources};

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderKey {
    /// The column in SQL.
    pub(super) expression: String,
    /// The column, by index in the base table; `None` for the rowid and for columns of related rows.
    pub(super) column: Option<usize>,
    /// Largest first.
    pub(super) descending: bool,
    /// Whether it may be `NULL`.
    pub(super) nullable: bool,
    /// Whether `NULL` comes behind the values.
    pub(super) nulls_last: bool,
    /// The type a value compared with it is read as.
    pub(super) parameter_type: Option<String>,
}

/// The keys of a list's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) keys: Vec<OrderKey>,
    /// Whether no two rows have the same place: only then can a cursor lead from one to the next.
    pub(super) is_total: bool,
}

impl Order {
    /// The order asked for, followed by the primary key or the rowid in the direction in which one walk over
    /// an index serves both. A view has no tie-breaker, nor has a table without a key or rowid. What is sorted by in
    /// related rows is joined in `columns`; without such a row it is `NULL`.
    pub(super) fn of(
        resources: &Resources,
        resource: &Resource,
        filters: &[Filter],
        sort: &[SortKey],
        columns: &mut Columns,
    ) -> Self {
        let table = resources.table_of(resource);
        let dialect = resources.catalog().dialect();
        let base = columns.base();
        let key = |column_index: usize, descending: bool| OrderKey {
            expression: column(resources, resource, base, column_index),
            column: Some(column_index),
            descending,
            nullable: table.columns[column_index].nullable,
            nulls_last: descending != dialect.null_is_largest(),
            parameter_type: dialect
                .parameter_type(&table.columns[column_index])
                .map(str::to_owned),
        };
        let mut keys: Vec<OrderKey> = sort
            .iter()
            .map(|sort| {
                let owner = end(resources, resource, &sort.path);
                let index = owner.fields[sort.field].column;
                if sort.path.is_empty() {
                    return key(index, sort.descending);
                }
                let alias = columns.follow(resources, resource, &sort.path);
                let sorted = &resources.table_of(owner).columns[index];
                OrderKey {
                    expression: column(resources, owner, alias, index),
                    column: None,
                    descending: sort.descending,
                    nullable: true,
                    nulls_last: sort.descending != dialect.null_is_largest(),
                    parameter_type: dialect.parameter_type(sorted).map(str::to_owned),
                }
            })
            .collect();
        let fixed: Vec<usize> = filters
            .iter()
            .filter(|filter| filter.operator == Operator::Equal && filter.path.is_empty())
            .map(|filter| resource.fields[filter.field].column)
            .collect();
        let descending = walked_backwards(table, &fixed, &keys)
            .unwrap_or_else(|| keys.last().is_some_and(|key| key.descending));
        let mut is_total = true;
        if let Some(unique) = table.unique_key() {
            for column_index in unique {
                if !keys.iter().any(|key| key.column == Some(column_index)) {
                    keys.push(key(column_index, descending));
                }
            }
        } else if let Some(rowid) = table.rowid() {
            let expression = format!("t{base}.{}", rowid.name());
            keys.push(OrderKey {
                expression,
                column: None,
                descending,
                nullable: false,
                nulls_last: false,
                parameter_type: None,
            });
        } else {
            is_total = false;
        }
        Self { keys, is_total }
    }

    /// ` ORDER BY …`, or nothing.
    pub(super) fn sql(&self) -> String {
        self.order_by(self.keys.iter().map(|key| key.expression.clone()))
    }

    /// ` ORDER BY …` of a compound statement: its columns have no names but their places, given from 0.
    pub(super) fn sql_by_place(&self, places: &[usize]) -> String {
        self.order_by(places.iter().map(|place| (place + 1).to_string()))
    }

    /// ` ORDER BY …` of a statement around one called `walk`, whose items are called `c` and their places, given
    /// from 0. Without its name an item would be what the outer statement shows of it, its text say.
    pub(super) fn sql_by_name(&self, places: &[usize]) -> String {
        self.order_by(places.iter().map(|place| format!("walk.c{place}")))
    }

    fn order_by(&self, expressions: impl Iterator<Item = String>) -> String {
        let terms: Vec<String> = expressions
            .zip(&self.keys)
            .map(|(term, key)| term + if key.descending { " DESC" } else { "" })
            .collect();
        if terms.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", terms.join(", "))
        }
    }
}

/// Whether a walk over an index, or over the rowids, begins with this column in its order.
pub(super) fn is_walked(resources: &Resources, resource: &Resource, sort: &SortKey) -> bool {
    let table = resources.table_of(resource);
    let column = resource.fields[sort.field].column;
    if table.columns[column].rowid_alias {
        return true;
    }
    let sort = std::slice::from_ref(sort);
    let order = Order::of(resources, resource, &[], sort, &mut Columns::default());
    walked_backwards(table, &[], &order.keys[..1]).is_some()
}

/// Whether the index that serves these keys is walked from its end; `None` when none does. Rows that are
/// equal in an index lie in it by ascending key or rowid.
fn walked_backwards(table: &Table, fixed: &[usize], keys: &[OrderKey]) -> Option<bool> {
    table
        .indexes
        .iter()
        .filter(|index| !index.partial)
        .find_map(|index| direction(index, fixed, keys))
}

fn direction(index: &Index, fixed: &[usize], keys: &[OrderKey]) -> Option<bool> {
    let is_fixed = |column: Option<usize>| column.is_some_and(|column| fixed.contains(&column));
    let mut columns = index
        .columns
        .iter()
        .skip_while(|column| is_fixed(column.column));
    let mut backwards = None;
    for key in keys {
        let column = columns
            .next()
            .filter(|column| key.column.is_some() && column.column == key.column)?;
        let turned = column.descending != key.descending;
        if key.nullable && (column.nulls_last != turned) != key.nulls_last {
            return None;
        }
        if *backwards.get_or_insert(turned) != turned {
            return None;
        }
    }
    backwards
}
