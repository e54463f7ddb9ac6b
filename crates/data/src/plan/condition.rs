//! `WHERE`: filters, values always as placeholders.
//!
//! A test of related rows is whether the row's own columns are among those of the related rows that pass: engines may
//! then begin with either. All tests by one relation stand in one such sub-select, so that one related row must pass
//! them all.

use super::columns::column;
use super::reach::{Reach, reach};
use crate::catalog::TableId;
use crate::query::{Filter, Operator};
use crate::resource::{Resource, ResourceId, Resources};
use crate::sql::SqlDialect;
use crate::statement::Value;

/// Aliases from here on are those of filters: a selection has fewer.
const FIRST_ALIAS: usize = 1000;

/// Conditions that must all hold, and the values bound in them.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    dialect: SqlDialect,
    parts: Vec<String>,
    pub(super) values: Vec<Value>,
    /// The tables of related rows.
    pub(super) tables: Vec<TableId>,
    /// The resources whose rows are told of by which rows pass.
    pub(super) resources: Vec<ResourceId>,
    aliases: usize,
}

impl Conditions {
    /// No condition yet.
    pub(super) fn new(dialect: SqlDialect) -> Self {
        Self {
            dialect,
            ..Self::default()
        }
    }

    /// The conditions of these filters, which are in canonical order.
    pub(super) fn of(resources: &Resources, resource: &Resource, filters: &[Filter]) -> Self {
        let mut conditions = Self::new(resources.catalog().dialect());
        conditions.parts = conditions.all(resources, resource, 0, (filters, 0));
        conditions
    }

    /// The conditions of filters whose paths agree in the first `depth` relations, which lead to `resource`.
    fn all(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        (filters, depth): (&[Filter], usize),
    ) -> Vec<String> {
        let next = |filter: &Filter| filter.path.get(depth).copied();
        let mut parts = Vec::new();
        for group in filters.chunk_by(|left, right| next(left) == next(right)) {
            if let Some(relation) = group.first().and_then(next) {
                parts.push(self.related(resources, resource, (alias, relation), (group, depth)));
                continue;
            }
            for filter in group {
                parts.push(self.filter(resources, resource, alias, filter));
            }
        }
        parts
    }

    /// Whether a related row passes all these.
    fn related(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        (alias, relation): (usize, usize),
        (filters, depth): (&[Filter], usize),
    ) -> String {
        let relation = &resource.relations[relation];
        let target = resources.get(relation.target);
        let inner = FIRST_ALIAS + self.aliases;
        self.aliases += 1;
        self.note(target.table, Some(target.id));
        let parts = self.all(resources, target, inner, (filters, depth + 1));
        let between = FIRST_ALIAS + self.aliases;
        if let Some(junction) = &relation.junction {
            self.aliases += 1;
            self.note(junction.table, junction.resource);
        }
        let Reach { from, columns } = reach(resources, relation, inner, between);
        let own = relation.columns.iter();
        let own: Vec<String> = own
            .map(|&index| column(resources, resource, alias, index))
            .collect();
        let own = match own.as_slice() {
            [only] => only.clone(),
            several => format!("({})", several.join(", ")),
        };
        format!(
            "{own} IN (SELECT {} FROM {from} WHERE {})",
            columns.join(", "),
            parts.join(" AND ")
        )
    }

    fn note(&mut self, table: TableId, resource: Option<ResourceId>) {
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
        let new = |resource: &ResourceId| !self.resources.contains(resource);
        if let Some(resource) = resource.filter(new) {
            self.resources.push(resource);
        }
    }

    /// The SQL it is written in.
    pub(super) fn dialect(&self) -> SqlDialect {
        self.dialect
    }

    /// A placeholder for `value`, compared with something of the type `target`.
    pub(super) fn bind(&mut self, value: &Value, target: Option<&str>) -> String {
        self.values.push(value.clone());
        self.dialect.placeholder(self.values.len(), target)
    }

    /// A placeholder for a number of rows.
    pub(super) fn bind_rows(&mut self, rows: i64) -> String {
        self.bind(&Value::Integer(rows), self.dialect.integer())
    }

    fn filter(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        filter: &Filter,
    ) -> String {
        let index = resource.fields[filter.field].column;
        let left = column(resources, resource, alias, index);
        let filtered = resources.column_of(resource, filter.field);
        let target = self.dialect.parameter_type(filtered);
        let compare = |conditions: &mut Self, operator: &str| {
            let right = conditions.bind(&filter.values[0], target);
            format!("{left} {operator} {right}")
        };
        match filter.operator {
            Operator::Equal => compare(self, "="),
            Operator::NotEqual => compare(self, "<>"),
            Operator::Greater => compare(self, ">"),
            Operator::GreaterOrEqual => compare(self, ">="),
            Operator::Less => compare(self, "<"),
            Operator::LessOrEqual => compare(self, "<="),
            Operator::Like => {
                let pattern = self.bind(&filter.values[0], None);
                self.dialect.like(filtered, &left, &pattern)
            }
            Operator::In => {
                let right: Vec<String> = filter
                    .values
                    .iter()
                    .map(|value| self.bind(value, target))
                    .collect();
                format!("{left} IN ({})", right.join(", "))
            }
            Operator::Null if filter.values == [Value::Integer(0)] => format!("{left} IS NOT NULL"),
            Operator::Null => format!("{left} IS NULL"),
        }
    }

    /// ` WHERE …` with one more condition, or nothing.
    pub(super) fn sql_and(&self, more: &str) -> String {
        let separator = if self.parts.is_empty() {
            " WHERE "
        } else {
            " AND "
        };
        self.sql() + separator + more
    }

    /// ` WHERE …`, or nothing.
    pub(super) fn sql(&self) -> String {
        if self.parts.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.parts.join(" AND "))
        }
    }
}
