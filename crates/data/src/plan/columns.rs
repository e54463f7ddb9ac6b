//! The `SELECT` list and the joins of a selection, and the shape its rows take.

use super::quote;
use crate::catalog::TableId;
use crate::encode::{Linkage, ResourceShape, RowShape, Shape};
use crate::query::{Dialect, Selection};
use crate::resource::{Resource, ResourceId, Resources};

/// What a statement reads. The base table is `t0`, related ones `t1`, `t2`, … in the order they are met.
#[derive(Debug, Default)]
pub(super) struct Columns {
    items: Vec<String>,
    joins: String,
    tables: Vec<TableId>,
    resources: Vec<ResourceId>,
    aliases: usize,
}

impl Columns {
    /// Reads what `selection` names, as nested objects.
    pub(super) fn of(resources: &Resources, selection: &Selection) -> (Self, Shape) {
        let mut columns = Self::default();
        let shape = columns.add(resources, selection, 0);
        (columns, shape)
    }

    /// Reads what `selection` names, in the form of a dialect.
    pub(super) fn in_dialect(
        resources: &Resources,
        selection: &Selection,
        dialect: Dialect,
    ) -> (Self, RowShape) {
        if dialect == Dialect::Plain {
            let (columns, shape) = Self::of(resources, selection);
            return (columns, RowShape::Plain(shape));
        }
        let mut columns = Self::default();
        let shape = columns.add_object(resources, selection, 0);
        (columns, RowShape::JsonApi(shape))
    }

    /// A resource object: id, attributes, linkage, and the objects to include.
    fn add_object(
        &mut self,
        resources: &Resources,
        selection: &Selection,
        alias: usize,
    ) -> ResourceShape {
        let resource = resources.get(selection.resource);
        self.note(resource);
        let id = self.key(resources, resource, alias);
        let mut attributes = Shape::default();
        for &index in &selection.fields {
            let field = &resource.fields[index];
            // The id is told as the id.
            if resource.key != [field.column] {
                let place = self.item(column(resources, resource, alias, field.column));
                attributes.column(&field.name, place, field.kind);
            }
        }
        let mut included = Vec::new();
        let mut joined = Vec::new();
        for (relation, nested) in &selection.nested {
            let inner = self.enter(resources, resource, alias, *relation);
            joined.push((*relation, inner));
            included.push(self.add_object(resources, nested, inner));
        }
        let linked = selection
            .links
            .iter()
            .filter_map(|&relation| {
                let inner = joined.iter().find(|(known, _)| *known == relation);
                let inner = inner.map(|(_, inner)| *inner);
                self.linkage(resources, resource, alias, relation, inner)
            })
            .collect();
        ResourceShape {
            type_name: resource.type_name.clone(),
            id,
            attributes,
            linked,
            included,
        }
    }

    /// Where a relationship's id is read: from the foreign key when that is the target's key, else from the
    /// related row. `None` when related rows have no id.
    fn linkage(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        index: usize,
        joined: Option<usize>,
    ) -> Option<Linkage> {
        let relation = &resource.relations[index];
        let target = resources.get(relation.target);
        if !target.has_key() {
            return None;
        }
        let own = |key: &usize| {
            let place = relation.target_columns.iter().position(|to| to == key)?;
            Some(column(resources, resource, alias, relation.columns[place]))
        };
        let own: Option<Vec<String>> = target.key.iter().map(own).collect();
        let id = if let Some(own) = own {
            own.into_iter().map(|column| self.item(column)).collect()
        } else {
            let inner = joined.unwrap_or_else(|| self.enter(resources, resource, alias, index));
            self.note(target);
            self.key(resources, target, inner)
        };
        Some(Linkage {
            name: relation.name.clone(),
            type_name: target.type_name.clone(),
            id,
        })
    }

    fn key(&mut self, resources: &Resources, resource: &Resource, alias: usize) -> Vec<usize> {
        let key = resource.key.iter();
        key.map(|&index| self.item(column(resources, resource, alias, index)))
            .collect()
    }

    /// Joins a related table and gives its alias.
    fn enter(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        relation: usize,
    ) -> usize {
        self.aliases += 1;
        let inner = self.aliases;
        self.join(resources, resource, alias, relation, inner);
        inner
    }

    fn add(&mut self, resources: &Resources, selection: &Selection, alias: usize) -> Shape {
        let resource = resources.get(selection.resource);
        self.note(resource);
        let mut shape = Shape::default();
        for &index in &selection.fields {
            let field = &resource.fields[index];
            let place = self.item(column(resources, resource, alias, field.column));
            shape.column(&field.name, place, field.kind);
        }
        for (index, nested) in &selection.nested {
            let relation = &resource.relations[*index];
            let target = resources.get(relation.target);
            let inner = self.enter(resources, resource, alias, *index);
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

    fn note(&mut self, resource: &Resource) {
        if !self.tables.contains(&resource.table) {
            self.tables.push(resource.table);
        }
        if !self.resources.contains(&resource.id) {
            self.resources.push(resource.id);
        }
    }

    /// The tables read, the base table first.
    pub(super) fn tables(&self) -> &[TableId] {
        &self.tables
    }

    /// The resources whose rows are told of, the base first.
    pub(super) fn resources(&self) -> &[ResourceId] {
        &self.resources
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
