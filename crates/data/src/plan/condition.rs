//! `WHERE`: filters, values always as placeholders.

use super::columns::column;
use crate::query::{Filter, Operator};
use crate::resource::{Resource, Resources};
use crate::statement::Value;

/// Conditions that must all hold, and the values bound in them.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    parts: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Conditions {
    /// The conditions of these filters.
    pub(super) fn of(resources: &Resources, resource: &Resource, filters: &[Filter]) -> Self {
        let mut conditions = Self::default();
        for filter in filters {
            conditions.filter(resources, resource, filter);
        }
        conditions
    }

    /// A placeholder for `value`.
    pub(super) fn bind(&mut self, value: &Value) -> String {
        self.values.push(value.clone());
        format!("?{}", self.values.len())
    }

    fn filter(&mut self, resources: &Resources, resource: &Resource, filter: &Filter) {
        let left = column(resources, resource, 0, resource.fields[filter.field].column);
        let compare = |conditions: &mut Self, operator: &str| {
            let right = conditions.bind(&filter.values[0]);
            format!("{left} {operator} {right}")
        };
        let part = match filter.operator {
            Operator::Equal => compare(self, "="),
            Operator::NotEqual => compare(self, "<>"),
            Operator::Greater => compare(self, ">"),
            Operator::GreaterOrEqual => compare(self, ">="),
            Operator::Less => compare(self, "<"),
            Operator::LessOrEqual => compare(self, "<="),
            Operator::Like => format!("{} ESCAPE '\\'", compare(self, "LIKE")),
            Operator::In => {
                let right: Vec<String> =
                    filter.values.iter().map(|value| self.bind(value)).collect();
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
