//! A page of a list.

use std::sync::Arc;

use super::columns::Columns;
use super::condition::Conditions;
use super::order::Order;
use super::{canonical, position, unindexed, with};
use crate::catalog::{Shown, Table, TableId};
use crate::cursor::{Binding, Cursor, CursorKey, Direction};
use crate::encode::{PageEncoder, PageInfo, RowShape};
use crate::query::{Count, Dialect, Filter, ListQuery, Position, QueryError, QueryErrorCode};
use crate::resource::{AccessVerb, Resource, ResourceId, Resources};
use crate::sql::SqlDialect;
use crate::statement::{Statement, Value};

/// How a page gets its total.
#[derive(Debug, Clone, PartialEq)]
pub enum TotalPlan {
    /// It has none.
    None,
    /// This many, as the catalog estimated.
    Estimated(u64),
    /// What this statement counts; the tables it reads are [`ListPlan::counted_tables`].
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
    /// The tables the total depends on, the base table first.
    pub counted_tables: Vec<TableId>,
    /// The resources whose rows it tells of, the base first: who may read the page may read all of them.
    pub resources: Vec<ResourceId>,
    /// The resources of which it tells rows within others, and what is done with them.
    pub nested: Vec<(ResourceId, AccessVerb)>,
    /// Whether it is the viewer's own, for rows in it belong to somebody.
    pub is_personal: bool,
    /// Equal for requests that have the same answer while the tables do not change.
    pub key: Arc<[u8]>,
    /// Which conventions the answer follows.
    pub dialect: Dialect,
    shape: Arc<RowShape>,
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
        let (filters, sort, viewer) = (&query.filters, &query.sort, query.viewer.as_ref());
        let (mut columns, shape) =
            Columns::in_dialect(resources, &query.selection, query.dialect, viewer);
        let order = Order::of(resources, resource, filters, sort, &mut columns);
        let binding = canonical::binding(resources, resource, (filters, sort), &order);
        let key_indexes = sort_keys(resources, resource, &order, &mut columns);
        // The count joins nothing: its placeholders are its own.
        let counting = conditions_of(resources, query, &[]);
        let mut conditions = conditions_of(resources, query, columns.values());
        let is_personal = conditions.is_personal || columns.is_personal();
        let total = total(
            query,
            table.approximate_rows,
            &resources.catalog().dialect().table(table),
            &counting,
        );
        let walk = Walk {
            columns: &columns,
            table,
            order: &order,
            places: &key_indexes,
            rows: i64::from(query.limit) + 1,
            is_fixed: is_one_walk(resources, query, &order, &conditions),
        };
        let (page, sql) = match &query.position {
            Position::Page(page) => {
                let skip = page
                    .saturating_sub(1)
                    .saturating_mul(u64::from(query.limit));
                let skip = i64::try_from(skip).unwrap_or(i64::MAX);
                (Some(*page), walk.whole(&mut conditions, skip))
            }
            Position::Cursor(text) => {
                let values = place(&order, cursors, &binding, text)?;
                let ranges = position::ranges(&order, &values, &mut conditions);
                (None, walk.over(&mut conditions, &ranges))
            }
        };
        Ok(Self {
            statement: Statement {
                sql: sql.into(),
                values: conditions.values,
            },
            total,
            tables: with(columns.tables(), &conditions.tables),
            counted_tables: with(&[table.id], &conditions.tables),
            resources: with(columns.resources(), &conditions.resources),
            nested: with(columns.nested(), &conditions.nested),
            is_personal,
            key: canonical::list_key(query),
            dialect: query.dialect,
            shape: shape.into(),
            key_indexes,
            binding,
            page,
            limit: query.limit,
            is_total: order.is_total,
        })
    }

    /// The encoder of the page's rows.
    pub fn encoder(&self) -> PageEncoder {
        PageEncoder::new(
            Arc::clone(&self.shape),
            self.limit,
            self.key_indexes.clone(),
        )
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

/// Which rows the list has, for whoever asks, after placeholders that have these values.
fn conditions_of(resources: &Resources, query: &ListQuery, values: &[Value]) -> Conditions {
    let resource = resources.get(query.resource);
    let asked = (values, query.viewer.as_ref());
    let mut conditions = Conditions::of(resources, resource, &query.filters, asked);
    conditions.own_rows(resources, resource, AccessVerb::List);
    conditions
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

/// A statement that reads a page.
struct Walk<'a> {
    columns: &'a Columns,
    table: &'a Table,
    order: &'a Order,
    places: &'a [usize],
    /// Rows to read at most.
    rows: i64,
    /// Whether it is the same walk whatever the values are.
    is_fixed: bool,
}

impl Walk<'_> {
    /// Reads in the whole order, behind `skip` rows.
    fn whole(&self, conditions: &mut Conditions, skip: i64) -> String {
        let mut behind = conditions.sql() + &self.order.sql() + &self.limit(conditions);
        if skip > 0 {
            behind += " OFFSET ";
            behind += &conditions.bind_rows(skip);
        }
        self.one(&behind)
    }

    /// Reads ranges one after the other.
    fn over(&self, conditions: &mut Conditions, ranges: &[String]) -> String {
        if let [only] = ranges {
            let behind = conditions.sql_and(only) + &self.order.sql() + &self.limit(conditions);
            return self.one(&behind);
        }
        match conditions.dialect() {
            SqlDialect::Sqlite => {
                let has_lists = self.columns.has_lists();
                let select = if has_lists {
                    self.columns.select_inner(self.table)
                } else {
                    self.columns.select(self.table)
                };
                let parts = ranges
                    .iter()
                    .map(|range| format!("{select}{}", conditions.sql_and(range)));
                let parts = parts.collect::<Vec<_>>().join(" UNION ALL ");
                let order = self.order.sql_by_place(self.places);
                let all = parts + &order + &self.limit(conditions);
                if has_lists { self.around(&all) } else { all }
            }
            SqlDialect::MySql(_) => {
                let either = format!("({})", ranges.join(" OR "));
                let behind =
                    conditions.sql_and(&either) + &self.order.sql() + &self.limit(conditions);
                self.one(&behind)
            }
            SqlDialect::Postgres => {
                // Each range is walked in its index and stops by itself; what is sorted then is short.
                let select = self.columns.select_inner(self.table);
                let limit = self.limit(conditions);
                let parts = ranges.iter().map(|range| {
                    let order = self.order.sql();
                    format!("({select}{}{order}{limit})", conditions.sql_and(range))
                });
                let parts = parts.collect::<Vec<_>>().join(" UNION ALL ");
                self.around(&parts) + &limit
            }
        }
    }

    /// One select. Where rows are gathered the page is chosen first: they are gathered for no row that is skipped or
    /// sorted away.
    fn one(&self, behind: &str) -> String {
        if self.columns.has_lists() {
            self.around(&(self.columns.select_inner(self.table) + behind))
        } else {
            self.columns.select(self.table) + behind
        }
    }

    fn around(&self, inner: &str) -> String {
        let outer = self.columns.select_of_inner();
        let order = self.order.sql_by_name(self.places);
        format!("{outer} FROM ({inner}) AS walk{order}")
    }

    /// The number stands in the text where the plan does not depend on values: PostgreSQL keeps a plan only when it
    /// knows that few rows are wanted, and plans each time otherwise. Elsewhere that is as well: what is best may
    /// depend on how many rows a value has.
    fn limit(&self, conditions: &mut Conditions) -> String {
        if self.is_fixed {
            return format!(" LIMIT {}", self.rows);
        }
        format!(" LIMIT {}", conditions.bind_rows(self.rows))
    }
}

/// Whether `PostgreSQL` reads the page by one walk over the order, whatever the values are: nothing is skipped, and all
/// that is asked is between which values of its first key the rows are.
fn is_one_walk(
    resources: &Resources,
    query: &ListQuery,
    order: &Order,
    conditions: &Conditions,
) -> bool {
    let resource = resources.get(query.resource);
    let first = order.keys.first().and_then(|key| key.column);
    let is_of_the_order = |filter: &Filter| {
        filter.path.is_empty()
            && filter.operator.is_range()
            && first == Some(resource.fields[filter.field].column)
    };
    conditions.dialect() == SqlDialect::Postgres
        && !conditions.is_personal
        && !matches!(query.position, Position::Page(2..))
        && query.filters.iter().all(is_of_the_order)
}

fn total(
    query: &ListQuery,
    approximate: Option<u64>,
    table: &str,
    counting: &Conditions,
) -> TotalPlan {
    match (query.count, approximate) {
        (Count::None, _) => TotalPlan::None,
        (Count::Estimated, Some(rows)) if counting.is_empty() => TotalPlan::Estimated(rows),
        _ => {
            let sql = format!("SELECT count(*) FROM {table} AS t0{}", counting.sql());
            TotalPlan::Counted(Statement {
                sql: sql.into(),
                values: counting.values.clone(),
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
