//! All rows of a resource.

use super::columns::Columns;
use super::condition::Conditions;
use super::order::Order;
use super::{position, unindexed, with};
use crate::encode::{Layout, RowsEncoder, Shape};
use crate::query::{ExportQuery, QueryError};
use crate::resource::{AccessVerb, ResourceId, Resources};
use crate::statement::{Statement, Value};

/// An export, ready to run.
#[derive(Debug, Clone)]
pub struct ExportPlan {
    /// Reads the rows in the order of their key.
    pub statement: Statement,
    /// The resources whose rows it tells of, the base first: who may export may read all of them.
    pub resources: Vec<ResourceId>,
    /// The resources of which it tells rows within others, and what is done with them.
    pub nested: Vec<(ResourceId, AccessVerb)>,
    /// The same rows page by page, where a key leads from one page to the next: for ways to a database that stream
    /// nothing.
    pages: Option<ExportPages>,
    shape: Shape,
}

/// The rows of an export page by page.
#[derive(Debug, Clone)]
pub(crate) struct ExportPages {
    /// The first page; its last value is the number of rows.
    first: Statement,
    /// A page behind a key; its last value is the number of rows.
    next: Statement,
    /// Which values of the next page are parts of the key, and which part: some engines compare a part twice.
    parts: Vec<(usize, usize)>,
    /// Where rows have their key.
    places: Vec<usize>,
}

impl ExportPages {
    fn new(resources: &Resources, query: &ExportQuery, order: &Order) -> Option<Self> {
        let resource = resources.get(query.resource);
        let table = resources.table_of(resource);
        if !order.is_total || order.keys.iter().any(|key| key.nullable) {
            return None;
        }
        let viewer = query.viewer.as_ref();
        let (mut columns, _) = Columns::of(resources, &query.selection, viewer);
        let places = order.keys.iter().map(|key| {
            let column = key.column?;
            Some(columns.column(resources, resource, 0, column))
        });
        let places: Vec<usize> = places.collect::<Option<_>>()?;
        let page = |behind: Option<&[Value]>| {
            let asked = (columns.values(), viewer);
            let mut conditions = Conditions::of(resources, resource, &query.filters, asked);
            conditions.own_rows(resources, resource, AccessVerb::List);
            let met = match behind {
                None => conditions.sql(),
                Some(key) => match position::ranges(order, key, &mut conditions).as_slice() {
                    [range] => conditions.sql_and(range),
                    _ => return None,
                },
            };
            let rows = conditions.bind_rows(0);
            let sql = columns.select(table) + &met + &order.sql() + " LIMIT " + &rows;
            Some(Statement {
                sql: sql.into(),
                values: conditions.values,
            })
        };
        let first = page(None)?;
        // What stands where is told by the numbers that stand there.
        let numbered = 0..i64::try_from(places.len()).ok()?;
        let numbered: Vec<Value> = numbered.map(Value::Integer).collect();
        let next = page(Some(&numbered))?;
        let before = first.values.len() - 1;
        let key = next.values[before..next.values.len() - 1].iter();
        let parts = key.enumerate().filter_map(|(at, value)| match value {
            Value::Integer(part) => Some((before + at, usize::try_from(*part).ok()?)),
            _ => None,
        });
        let parts = parts.collect();
        Some(Self {
            first,
            next,
            parts,
            places,
        })
    }

    /// Where rows have their key, in the order of [`page`](Self::page)'s.
    pub(crate) fn places(&self) -> &[usize] {
        &self.places
    }

    /// At most so many rows: the first ones, or those behind the row with this key.
    pub(crate) fn page(&self, behind: Option<&[Value]>, rows: i64) -> Statement {
        let mut statement = match behind {
            None => self.first.clone(),
            Some(_) => self.next.clone(),
        };
        let end = statement.values.len() - 1;
        statement.values[end] = Value::Integer(rows);
        if let Some(key) = behind {
            for (value, part) in &self.parts {
                statement.values[*value] = key[*part].clone();
            }
        }
        statement
    }
}

impl ExportPlan {
    /// Plans a parsed request.
    ///
    /// # Errors
    /// When a filter would read a whole large table to find few rows.
    pub fn new(resources: &Resources, query: &ExportQuery) -> Result<Self, QueryError> {
        let resource = resources.get(query.resource);
        let table = resources.table_of(resource);
        unindexed::check(resources, resource, &query.filters, &[])?;
        let viewer = query.viewer.as_ref();
        let (mut columns, shape) = Columns::of(resources, &query.selection, viewer);
        let order = Order::of(resources, resource, &[], &[], &mut columns);
        let asked = (columns.values(), viewer);
        let mut conditions = Conditions::of(resources, resource, &query.filters, asked);
        conditions.own_rows(resources, resource, AccessVerb::List);
        let sql = columns.select(table) + &conditions.sql() + &order.sql();
        Ok(Self {
            statement: Statement {
                sql: sql.into(),
                values: conditions.values,
            },
            resources: with(columns.resources(), &conditions.resources),
            pages: ExportPages::new(resources, query, &order),
            nested: with(columns.nested(), &conditions.nested),
            shape,
        })
    }

    /// How the rows are read page by page, where they can be.
    pub(crate) fn pages(&self) -> Option<&ExportPages> {
        self.pages.as_ref()
    }

    /// The encoder of the rows.
    pub fn encoder(&self, layout: Layout) -> RowsEncoder {
        RowsEncoder::new(self.shape.clone(), layout)
    }
}
