//! The `SELECT` list and the joins of a selection, and the shape its rows take.

use crate::catalog::{Shown, Table, TableId};
use crate::encode::{BigIntegers, Linkage, ResourceShape, RowShape, Shape};
use crate::query::{Dialect, Selection};
use crate::resource::{Resource, ResourceId, Resources};
use crate::sql::SqlDialect;

/// What a statement reads. The base table is `t0`, related ones `t1`, `t2`, … in the order they are met.
#[derive(Debug, Default)]
pub(super) struct Columns {
    dialect: SqlDialect,
    items: Vec<Item>,
    joins: String,
    tables: Vec<TableId>,
    resources: Vec<ResourceId>,
    aliases: usize,
    integers: BigIntegers,
}

/// One entry of the `SELECT` list.
#[derive(Debug)]
struct Item {
    /// What is read: what an order compares.
    expression: String,
    /// In which form it is answered.
    shown: Shown,
}

impl Columns {
    fn new(resources: &Resources) -> Self {
        Self {
            dialect: resources.catalog().dialect(),
            integers: resources.big_integers(),
            ..Self::default()
        }
    }

    /// Reads what `selection` names, as nested objects.
    pub(super) fn of(resources: &Resources, selection: &Selection) -> (Self, Shape) {
        let mut columns = Self::new(resources);
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
        let mut columns = Self::new(resources);
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
        let mut attributes = Shape::new(self.integers);
        for &index in &selection.fields {
            let field = &resource.fields[index];
            // The id is told as the id.
            if resource.key != [field.column] {
                let place = self.column(resources, resource, alias, field.column);
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
            Some(relation.columns[place])
        };
        let own: Option<Vec<usize>> = target.key.iter().map(own).collect();
        let id = if let Some(own) = own {
            own.into_iter()
                .map(|index| self.column(resources, resource, alias, index))
                .collect()
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
        key.map(|&index| self.column(resources, resource, alias, index))
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
        let mut shape = Shape::new(self.integers);
        for &index in &selection.fields {
            let field = &resource.fields[index];
            let place = self.column(resources, resource, alias, field.column);
            shape.column(&field.name, place, field.kind);
        }
        for (index, nested) in &selection.nested {
            let relation = &resource.relations[*index];
            let target = resources.get(relation.target);
            let inner = self.enter(resources, resource, alias, *index);
            let presence = self.column(resources, target, inner, relation.target_columns[0]);
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
        let table = self.dialect.table(resources.table_of(target));
        let on = equal.collect::<Vec<_>>().join(" AND ");
        self.joins += " LEFT JOIN ";
        self.joins += &table;
        self.joins += " AS t";
        self.joins += &inner.to_string();
        self.joins += " ON ";
        self.joins += &on;
    }

    /// The place of a column in the `SELECT` list; added when it is new.
    pub(super) fn column(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        index: usize,
    ) -> usize {
        let shown = resources.table_of(resource).columns[index]
            .native
            .as_ref()
            .map_or(Shown::AsIs, |native| native.shown);
        self.item(column(resources, resource, alias, index), shown)
    }

    /// The place of an expression in the `SELECT` list; added when it is new.
    pub(super) fn item(&mut self, expression: String, shown: Shown) -> usize {
        let known = self
            .items
            .iter()
            .position(|item| item.expression == expression);
        known.unwrap_or_else(|| {
            self.items.push(Item { expression, shown });
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

    /// `SELECT … FROM … AS t0 LEFT JOIN …`, in the form that is answered.
    pub(super) fn select(&self, table: &Table) -> String {
        let items = self
            .items
            .iter()
            .map(|item| self.dialect.shown(item.shown, &item.expression));
        self.select_items(table, &items.collect::<Vec<_>>())
    }

    /// The same with nothing changed for the answer, each item called `c` and its place:
    /// for [`select_of_inner`](Self::select_of_inner) to be put around.
    pub(super) fn select_inner(&self, table: &Table) -> String {
        let items = self.items.iter().enumerate();
        let items = items.map(|(place, item)| format!("{} AS c{place}", item.expression));
        self.select_items(table, &items.collect::<Vec<_>>())
    }

    /// `SELECT …` of what [`select_inner`](Self::select_inner) calls its items, in the form that is answered.
    pub(super) fn select_of_inner(&self) -> String {
        let items = self.items.iter().enumerate();
        let items: Vec<String> = items
            .map(|(place, item)| self.dialect.shown(item.shown, &format!("c{place}")))
            .collect();
        format!("SELECT {}", items.join(", "))
    }

    fn select_items(&self, table: &Table, items: &[String]) -> String {
        let items = if items.is_empty() {
            "1".to_owned()
        } else {
            items.join(", ")
        };
        format!(
            "SELECT {items} FROM {} AS t0{}",
            self.dialect.table(table),
            self.joins
        )
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
        resources
            .catalog()
            .dialect()
            .quote(&resources.table_of(resource).columns[column].name)
    )
}
