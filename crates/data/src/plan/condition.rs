//! `WHERE`: filters, values always as placeholders.
//!
//! A test of related rows is whether the row's own columns are among those of the related rows that pass: engines may
//! then begin with either. All tests by one relation stand in one such sub-select, so that one related row must pass
//! them all.

use super::columns::column;
use super::owner;
use super::reach::{Reach, reach};
use crate::catalog::TableId;
use crate::principal::Principal;
use crate::query::{Filter, Operator};
use crate::resource::{AccessVerb, Resource, ResourceId, Resources};
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
    /// The same, and what is done with them.
    pub(super) nested: Vec<(ResourceId, AccessVerb)>,
    /// Whether which rows pass depends on who asks.
    pub(super) is_personal: bool,
    viewer: Option<Principal>,
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

    /// No condition yet, for somebody, where the first placeholders have these values already.
    pub(super) fn after(dialect: SqlDialect, values: &[Value], viewer: Option<&Principal>) -> Self {
        Self {
            values: values.to_vec(),
            viewer: viewer.cloned(),
            ..Self::new(dialect)
        }
    }

    /// The conditions of these filters, which are in canonical order, for somebody, after placeholders that have these
    /// values.
    pub(super) fn of(
        resources: &Resources,
        resource: &Resource,
        filters: &[Filter],
        (values, viewer): (&[Value], Option<&Principal>),
    ) -> Self {
        let mut conditions = Self::after(resources.catalog().dialect(), values, viewer);
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
        let verb = if relation.is_many() {
            AccessVerb::List
        } else {
            AccessVerb::Read
        };
        let mut parts = self.all(resources, target, inner, (filters, depth + 1));
        // Rows that may not be shown may not be found either.
        parts.extend(self.own(resources, target, verb, inner));
        let between = FIRST_ALIAS + self.aliases;
        if let Some(junction) = &relation.junction {
            self.aliases += 1;
            self.note(junction.table, junction.resource);
            if let Some(shown) = junction.resource {
                let shown = resources.get(shown);
                parts.extend(self.own(resources, shown, AccessVerb::List, between));
            }
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

    /// Notes that rows of `target`, called `alias`, are searched, and says which of them the viewer may be shown.
    fn own(
        &mut self,
        resources: &Resources,
        target: &Resource,
        verb: AccessVerb,
        alias: usize,
    ) -> Option<String> {
        if !self.nested.contains(&(target.id, verb)) {
            self.nested.push((target.id, verb));
        }
        self.own_condition(resources, target, verb, alias)
    }

    fn own_condition(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        verb: AccessVerb,
        alias: usize,
    ) -> Option<String> {
        let viewer = self.viewer.clone();
        let bind = &mut |value: Value, target: Option<&str>| self.bind(&value, target);
        let own = owner::condition(resources, resource, verb, viewer.as_ref(), alias, bind);
        self.is_personal |= own.is_some();
        own
    }

    /// Only the rows of the base that the viewer may use.
    pub(super) fn own_rows(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        verb: AccessVerb,
    ) {
        let own = self.own_condition(resources, resource, verb, 0);
        self.parts.extend(own);
    }

    /// Whether every row passes.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
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
