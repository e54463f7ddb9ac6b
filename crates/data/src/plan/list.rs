//! A page of a list.

use std::sync::Arc;

use super::columns::Columns;
use super::condition::Conditions;
use super::order::Order;
use super::{canonical, position, unindexed};
use crate::catalog::{Shown, Table, TableId};
use crate::cursor::{Binding, Cursor, CursorKey, Direction};
use crate::encode::{PageEncoder, PageInfo, RowShape};
use crate::query::{Count, Dialect, ListQuery, Position, QueryError, QueryErrorCode};
use crate::resource::{Resource, ResourceId, Resources};
use crate::sql::SqlDialect;
use crate::statement::{Statement, Value};

/// How a page gets its total.
#[derive(Debug, Clone, PartialEq)]
pub enum TotalPlan {
    /// It has none.
    None,
    /// This many, as the catalog estimated.
    Estimated(u64),
    /// What this statement counts; the tables it reads are the base table alone.
    Counted(Statement),
}

/// A page, ready to run.
#[derive(Debug, Clone)]
pub struct ListPlan {
    /// Reads the page's rows and one more.
    pub statement: Statement,
    /// Counts the rows of all pages.
    pub total: TotalPlan,
    /// The tables the page depends on, the base table first.
    pub tables: Vec<TableId>,
    /// The resources whose rows it tells of, the base first: who may read the page may read all of them.
    pub resources: Vec<ResourceId>,
    /// Equal for requests that have the same answer while the tables do not change.
    pub key: Arc<[u8]>,
    /// Which conventions the answer follows.
    pub dialect: Dialect,
    shape: RowShape,
    key_indexes: Vec<usize>,
    binding: Binding,
    page: Option<u64>,
    limit: u32,
    is_total: bool,
}

impl ListPlan {
    /// Plans a parsed request.
    ///
    /// # Errors
    /// When the cursor is not one for this list, or the request would read a whole large table.
    pub fn new(
        resources: &Resources,
        query: &ListQuery,
        cursors: &CursorKey,
    ) -> Result<Self, QueryError> {
        let resource = resources.get(query.resource);
        let table = resources.table_of(resource);
        unindexed::check(resources, resource, &query.filters, &query.sort)?;
        let order = Order::of(resources, resource, &query.filters, &query.sort);
        let binding = canonical::binding(resource, &query.filters, &query.sort, &order);
        let (mut columns, shape) = Columns::in_dialect(resources, &query.selection, query.dialect);
        let key_indexes = sort_keys(resources, resource, &order, &mut columns);
        let mut conditions = Conditions::of(resources, resource, &query.filters);
        let counted = conditions.sql();
        let total = total(
            query,
            table.approximate_rows,
            &resources.catalog().dialect().table(table),
            &counted,
            &conditions.values,
        );
        let rows = i64::from(query.limit) + 1;
        let (page, skip, mut sql) = match &query.position {
            Position::Page(page) => {
                let skip = page
                    .saturating_sub(1)
                    .saturating_mul(u64::from(query.limit));
                (
                    Some(*page),
                    skip,
                    columns.select(table) + &counted + &order.sql(),
                )
            }
            Position::Cursor(text) => {
                let values = place(&order, cursors, &binding, text)?;
                let ranges = position::ranges(&order, &values, &mut conditions);
                let walk = Walk {
                    columns: &columns,
                    table,
                    order: &order,
                    places: &key_indexes,
                };
                (None, 0, walk.sql(&mut conditions, &ranges, rows))
            }
        };
        sql += " LIMIT ";
        sql += &conditions.bind_rows(rows);
        if skip > 0 {
            let skip = i64::try_from(skip).unwrap_or(i64::MAX);
            sql += " OFFSET ";
            sql += &conditions.bind_rows(skip);
        }
        Ok(Self {
            statement: Statement {
                sql: sql.into(),
                values: conditions.values,
            },
            total,
            tables: columns.tables().to_vec(),
            resources: columns.resources().to_vec(),
            key: canonical::list_key(query),
            dialect: query.dialect,
            shape,
            key_indexes,
            binding,
            page,
            limit: query.limit,
            is_total: order.is_total,
        })
    }

    /// The encoder of the page's rows.
    pub fn encoder(&self) -> PageEncoder {
        PageEncoder::new(self.shape.clone(), self.limit, self.key_indexes.clone())
    }

    /// What the page says about itself, once its rows are written and counted.
    pub fn info(&self, encoder: &PageEncoder, total: Option<u64>, cursors: &CursorKey) -> PageInfo {
        let next = (encoder.has_more() && self.is_total)
            .then(|| Cursor {
                direction: Direction::Forward,
                values: encoder.last_key().to_vec(),
            })
            .and_then(|cursor| cursor.encode(cursors, &self.binding));
        PageInfo {
            page: self.page,
            limit: self.limit,
            total,
            next,
            has_more: encoder.has_more(),
        }
    }
}

/// Where the `SELECT` list has the sort keys; those that are not shown are added.
fn sort_keys(
    resources: &Resources,
    resource: &Resource,
    order: &Order,
    columns: &mut Columns,
) -> Vec<usize> {
    let keys = order.keys.iter();
    keys.map(|key| match key.column {
        Some(index) => columns.column(resources, resource, 0, index),
        None => columns.item(key.expression.clone(), Shown::AsIs),
    })
    .collect()
}

/// A statement that reads ranges one after the other.
struct Walk<'a> {
    columns: &'a Columns,
    table: &'a Table,
    order: &'a Order,
    places: &'a [usize],
}

impl Walk<'_> {
    fn sql(&self, conditions: &mut Conditions, ranges: &[String], rows: i64) -> String {
        if let [only] = ranges {
            return self.columns.select(self.table) + &conditions.sql_and(only) + &self.order.sql();
        }
        match conditions.dialect() {
            SqlDialect::Sqlite => {
                let select = self.columns.select(self.table);
                let parts = ranges
                    .iter()
                    .map(|range| format!("{select}{}", conditions.sql_and(range)));
                parts.collect::<Vec<_>>().join(" UNION ALL ")
                    + &self.order.sql_by_place(self.places)
            }
            SqlDialect::MySql(_) => {
                let either = format!("({})", ranges.join(" OR "));
                self.columns.select(self.table) + &conditions.sql_and(&either) + &self.order.sql()
            }
            SqlDialect::Postgres => {
                // Each range is walked in its index and stops by itself; what is sorted then is short.
                let select = self.columns.select_inner(self.table);
                let limit = format!(" LIMIT {}", conditions.bind_rows(rows));
                let parts = ranges.iter().map(|range| {
                    let order = self.order.sql();
                    format!("({select}{}{order}{limit})", conditions.sql_and(range))
                });
                let parts = parts.collect::<Vec<_>>().join(" UNION ALL ");
                let outer = self.columns.select_of_inner();
                format!(
                    "{outer} FROM ({parts}) AS walk{}",
                    self.order.sql_by_name(self.places)
                )
            }
        }
    }
}

fn total(
    query: &ListQuery,
    approximate: Option<u64>,
    table: &str,
    counted: &str,
    values: &[Value],
) -> TotalPlan {
    match (query.count, approximate) {
        (Count::None, _) => TotalPlan::None,
        (Count::Estimated, Some(rows)) if query.filters.is_empty() => TotalPlan::Estimated(rows),
        _ => {
            let sql = format!("SELECT count(*) FROM {table} AS t0{counted}");
            TotalPlan::Counted(Statement {
                sql: sql.into(),
                values: values.to_vec(),
            })
        }
    }
}

fn place(
    order: &Order,
    cursors: &CursorKey,
    binding: &Binding,
    text: &str,
) -> Result<Vec<Value>, QueryError> {
    let refused = |detail: String| QueryError::new(QueryErrorCode::Cursor, "cursor", detail);
    let cursor =
        Cursor::decode(cursors, binding, text).map_err(|error| refused(error.to_string()))?;
    if cursor.values.len() == order.keys.len()
        && cursor.direction == Direction::Forward
        && order.is_total
    {
        Ok(cursor.values)
    } else {
        Err(refused(
            "The cursor does not fit this list any more. Start again without it.".to_owned(),
        ))
    }
}
