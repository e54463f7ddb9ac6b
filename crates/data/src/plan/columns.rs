//! The `SELECT` list and the joins of a selection, and the shape its rows take.

use super::quote;
use crate::catalog::TableId;
use crate::encode::Shape;
use crate::query::Selection;
use crate::resource::{Resource, Resources};

/// What a statement reads. The base table is `t0`, related ones `t1`, `t2`, … in the order they are met.
#[derive(Debug, Default)]
pub(super) struct Columns {
    items: Vec<String>,
    joins: String,
    tables: Vec<TableId>,
    aliases: usize,
}

impl Columns {
    /// Reads what `selection` names.
    pub(super) fn of(resources: &Resources, selection: &Selection) -> (Self, Shape) {
        let mut columns = Self::default();
        let shape = columns.add(resources, selection, 0);
        (columns, shape)
    }

    fn add(&mut self, resources: &Resources, selection: &Selection, alias: usize) -> Shape {
        let resource = resources.get(selection.resource);
        let table = resources.table_of(resource);
        self.note(table.id);
        let mut shape = Shape::default();
        for &index in &selection.fields {
            let field = &resource.fields[index];
            let place = self.item(column(resources, resource, alias, field.column));
            shape.column(&field.name, place, field.kind);
        }
        for (index, nested) in &selection.nested {
            let relation = &resource.relations[*index];
            let target = resources.get(relation.target);
            self.aliases += 1;
            let inner = self.aliases;
            self.join(resources, resource, alias, *index, inner);
            let presence = self.item(column(resources, target, inner, relation.target_columns[0]));
            let below = self.add(resources, nested, inner);
            shape.object(&relation.name, presence, below);
        }
        shape
    }

    fn join(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        relation: usize,
        inner: usize,
    ) {
        let relation = &resource.relations[relation];
        let target = resources.get(relation.target);
        let pairs = relation.columns.iter().zip(&relation.target_columns);
        let equal = pairs.map(|(from, to)| {
            let (from, to) = (
                column(resources, resource, alias, *from),
                column(resources, target, inner, *to),
            );
            format!("{to} = {from}")
        });
        let table = quote(&resources.table_of(target).name);
        let on = equal.collect::<Vec<_>>().join(" AND ");
        self.joins += " LEFT JOIN ";
        self.joins += &table;
        self.joins += " AS t";
        self.joins += &inner.to_string();
        self.joins += " ON ";
        self.joins += &on;
    }

    /// The place of an expression in the `SELECT` list; added when it is new.
    pub(super) fn item(&mut self, expression: String) -> usize {
        let known = self.items.iter().position(|item| *item == expression);
        known.unwrap_or_else(|| {
            self.items.push(expression);
            self.items.len() - 1
        })
    }

    fn note(&mut self, table: TableId) {
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
    }

    /// The tables read, the base table first.
    pub(super) fn tables(&self) -> &[TableId] {
        &self.tables
    }

    /// `SELECT … FROM … AS t0 LEFT JOIN …`
    pub(super) fn select(&self, table: &str) -> String {
        let items = if self.items.is_empty() {
            "1".to_owned()
        } else {
            self.items.join(", ")
        };
        format!("SELECT {items} FROM {} AS t0{}", quote(table), self.joins)
    }
}

/// A column of a resource's table in SQL.
pub(super) fn column(
    resources: &Resources,
    resource: &Resource,
    alias: usize,
    column: usize,
) -> String {
    format!(
        "t{alias}.{}",
        quote(&resources.table_of(resource).columns[column].name)
    )
}
