//! All rows of a resource.

use super::columns::Columns;
use super::condition::Conditions;
use super::order::Order;
use super::{unindexed, with};
use crate::encode::{Layout, RowsEncoder, Shape};
use crate::query::{ExportQuery, QueryError};
use crate::resource::{AccessVerb, ResourceId, Resources};
use crate::statement::Statement;

/// An export, ready to run.
#[derive(Debug, Clone)]
pub struct ExportPlan {
    /// Reads the rows in the order of their key.
    pub statement: Statement,
    /// The resources whose rows it tells of, the base first: who may export may read all of them.
    pub resources: Vec<ResourceId>,
    /// The resources of which it tells rows within others, and what is done with them.
    pub nested: Vec<(ResourceId, AccessVerb)>,
    shape: Shape,
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
            nested: with(columns.nested(), &conditions.nested),
            shape,
        })
    }

    /// The encoder of the rows.
    pub fn encoder(&self, layout: Layout) -> RowsEncoder {
        RowsEncoder::new(self.shape.clone(), layout)
    }
}
