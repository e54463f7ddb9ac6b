//! `WHERE`: filters and positions, values always as placeholders.

use super::columns::column;
use super::order::Order;
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

    /// Only rows behind the one with these sort-key values.
    ///
    /// In one direction over columns without `NULL` this is a comparison of row values, which an index
    /// serves. Else it is spelled out: equal in the first keys and behind in the next. `NULL` is the
    /// smallest value, as SQLite sorts it.
    pub(super) fn behind(&mut self, order: &Order, values: &[Value]) {
        let part = if order.is_plain() {
            self.row_value(order, values)
        } else {
            self.spelled_out(order, values)
        };
        self.parts.push(part);
    }

    fn row_value(&mut self, order: &Order, values: &[Value]) -> String {
        let left: Vec<&str> = order
            .keys
            .iter()
            .map(|key| key.expression.as_str())
            .collect();
        let right: Vec<String> = values.iter().map(|value| self.bind(value)).collect();
        let operator = if order.keys[0].descending { "<" } else { ">" };
        match (left.as_slice(), right.as_slice()) {
            ([left], [right]) => format!("{left} {operator} {right}"),
            _ => format!("({}) {operator} ({})", left.join(", "), right.join(", ")),
        }
    }

    fn spelled_out(&mut self, order: &Order, values: &[Value]) -> String {
        let mut alternatives = Vec::new();
        let mut equal = String::new();
        for (key, value) in order.keys.iter().zip(values) {
            let left = &key.expression;
            let is_null = *value == Value::Null;
            let behind = match (key.descending, is_null) {
                (false, true) => Some(format!("{left} IS NOT NULL")),
                (false, false) => Some(format!("{left} > {}", self.bind(value))),
                (true, true) => None,
                (true, false) if key.nullable => Some(format!(
                    "({left} < {0} OR {left} IS NULL)",
                    self.bind(value)
                )),
                (true, false) => Some(format!("{left} < {}", self.bind(value))),
            };
            alternatives.extend(behind.map(|behind| format!("({equal}{behind})")));
            let same = if is_null {
                format!("{left} IS NULL")
            } else {
                format!("{left} = {}", self.bind(value))
            };
            equal.push_str(&same);
            equal.push_str(" AND ");
        }
        // Binding the first key as well lets an index skip to the position.
        let first = &order.keys[0];
        let bound = match (&values[0], first.descending) {
            (Value::Null, false) => None,
            (Value::Null, true) => Some(format!("{} IS NULL", first.expression)),
            (value, false) => Some(format!("{} >= {}", first.expression, self.bind(value))),
            (value, true) if !first.nullable => {
                Some(format!("{} <= {}", first.expression, self.bind(value)))
            }
            (_, true) => None,
        };
        let any = if alternatives.is_empty() {
            "0".to_owned()
        } else {
            format!("({})", alternatives.join(" OR "))
        };
        bound.map_or(any.clone(), |bound| format!("{bound} AND {any}"))
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
