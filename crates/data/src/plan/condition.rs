//! `WHERE`: filters, values always as placeholders.

use super::columns::column;
use crate::query::{Filter, Operator};
use crate::resource::{Resource, Resources};
use crate::sql::SqlDialect;
use crate::statement::Value;

/// Conditions that must all hold, and the values bound in them.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    dialect: SqlDialect,
    parts: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Conditions {
    /// No condition yet.
    pub(super) fn new(dialect: SqlDialect) -> Self {
        Self {
            dialect,
            ..Self::default()
        }
    }

    /// The conditions of these filters.
    pub(super) fn of(resources: &Resources, resource: &Resource, filters: &[Filter]) -> Self {
        let mut conditions = Self::new(resources.catalog().dialect());
        for filter in filters {
            conditions.filter(resources, resource, filter);
        }
        conditions
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

    fn filter(&mut self, resources: &Resources, resource: &Resource, filter: &Filter) {
        let left = column(resources, resource, 0, resource.fields[filter.field].column);
        let filtered = resources.column_of(resource, filter.field);
        let target = self.dialect.parameter_type(filtered);
        let compare = |conditions: &mut Self, operator: &str| {
            let right = conditions.bind(&filter.values[0], target);
            format!("{left} {operator} {right}")
        };
        let part = match filter.operator {
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
        };
        self.parts.push(part);
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
