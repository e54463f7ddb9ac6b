//! The `SELECT` list and the joins of a selection, and the shape its rows take.
//!
//! Related rows are read in the same statement: at most one by a join, several gathered in one column.

mod gathering;
mod objects;

use std::sync::Arc;

use gathering::{Gathering, Item, Source};

use super::order::Order;
use super::owner;
use super::reach::{Reach, reach};
use crate::catalog::{Shown, Table, TableId};
use crate::encode::{BigIntegers, List, RowShape, Shape};
use crate::principal::Principal;
use crate::query::{Dialect, Selection};
use crate::resource::{AccessVerb, Cardinality, Resource, ResourceId, Resources};
use crate::sql::SqlDialect;
use crate::statement::Value;

/// What a statement reads, or a list within it. The base table is `t0`, related ones `t1`, `t2`, … in the order they
/// are met.
#[derive(Debug, Default)]
pub(super) struct Columns {
    dialect: SqlDialect,
    /// The alias of the table it begins with.
    base: usize,
    items: Vec<Item>,
    joins: String,
    /// Joined tables, by alias and relation.
    entered: Vec<((usize, usize), usize)>,
    scope: Scope,
    integers: BigIntegers,
    json_api: bool,
    base_path: Arc<str>,
}

/// What a statement and the lists within it share.
#[derive(Debug, Default)]
struct Scope {
    tables: Vec<TableId>,
    resources: Vec<ResourceId>,
    nested: Vec<(ResourceId, AccessVerb)>,
    viewer: Option<Principal>,
    /// What is compared with to choose related rows: the first placeholders of the statement are theirs.
    values: Vec<Value>,
    is_personal: bool,
    aliases: usize,
}

impl Columns {
    fn new(resources: &Resources, dialect: Dialect, viewer: Option<&Principal>) -> Self {
        Self {
            dialect: resources.catalog().dialect(),
            integers: resources.big_integers(),
            json_api: dialect == Dialect::JsonApi,
            base_path: resources.base_path().into(),
            scope: Scope {
                viewer: viewer.cloned(),
                ..Scope::default()
            },
            ..Self::default()
        }
    }

    /// Reads what `selection` names, as nested objects.
    pub(super) fn of(
        resources: &Resources,
        selection: &Selection,
        viewer: Option<&Principal>,
    ) -> (Self, Shape) {
        let mut columns = Self::new(resources, Dialect::Plain, viewer);
        let shape = columns.add(resources, selection, 0);
        (columns, shape)
    }

    /// Reads what `selection` names, in the form of a dialect.
    pub(super) fn in_dialect(
        resources: &Resources,
        selection: &Selection,
        dialect: Dialect,
        viewer: Option<&Principal>,
    ) -> (Self, RowShape) {
        if dialect == Dialect::Plain {
            let (columns, shape) = Self::of(resources, selection, viewer);
            return (columns, RowShape::Plain(shape));
        }
        let mut columns = Self::new(resources, dialect, viewer);
        let shape = columns.add_object(resources, selection, 0);
        (columns, RowShape::JsonApi(shape))
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
        let known = self
            .entered
            .iter()
            .find(|(from, _)| *from == (alias, relation));
        if let Some((_, inner)) = known {
            return *inner;
        }
        let inner = self.next_alias();
        self.join(resources, resource, alias, relation, inner);
        self.entered.push(((alias, relation), inner));
        inner
    }

    /// The alias of the table that these relations to one row lead to from the base; it is joined where it was not.
    pub(super) fn follow(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        path: &[usize],
    ) -> usize {
        let (mut resource, mut alias) = (resource, self.base);
        for &relation in path {
            alias = self.enter(resources, resource, alias, relation);
            resource = resources.get(resource.relations[relation].target);
            self.note(resource);
        }
        alias
    }

    /// The alias of the table it begins with.
    pub(super) fn base(&self) -> usize {
        self.base
    }

    fn next_alias(&mut self) -> usize {
        self.scope.aliases += 1;
        self.scope.aliases
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
            let Cardinality::Many { limit } = relation.cardinality else {
                let inner = self.enter(resources, resource, alias, *index);
                let presence = self.column(resources, target, inner, relation.target_columns[0]);
                let below = self.add(resources, nested, inner);
                shape.object(&relation.name, presence, below);
                continue;
            };
            let build = |inner: &mut Self, base| inner.add(resources, nested, base);
            let (place, below) = self.gather(resources, resource, alias, *index, build);
            let (_, next) = self.links(resources, resource, alias, *index);
            let list = List {
                place,
                limit,
                shape: below,
                next,
            };
            shape.list(&relation.name, list);
        }
        shape
    }

    /// Gathers the rows a relation leads to, one more than are shown; `build` says what of them. Answers the place of
    /// the item.
    fn gather<T>(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        index: usize,
        build: impl FnOnce(&mut Self, usize) -> T,
    ) -> (usize, T) {
        let relation = &resource.relations[index];
        let target = resources.get(relation.target);
        let around: Vec<usize> = relation
            .columns
            .iter()
            .map(|&index| self.column(resources, resource, alias, index))
            .collect();
        let base = self.next_alias();
        let mut inner = Self {
            dialect: self.dialect,
            base,
            scope: std::mem::take(&mut self.scope),
            integers: self.integers,
            json_api: self.json_api,
            base_path: Arc::clone(&self.base_path),
            ..Self::default()
        };
        let shape = build(&mut inner, base);
        // In the order of the target's own list, of which this is the begin.
        let order = Order::of(resources, target, &[], &target.default_sort, &mut inner).sql();
        let between = inner.next_alias();
        let own = inner.own_rows(resources, target, AccessVerb::List, base);
        let mut own: Vec<String> = own.into_iter().collect();
        if let Some(junction) = &relation.junction {
            inner.note_table(junction.table);
            if let Some(shown) = junction.resource {
                let shown = resources.get(shown);
                inner.note(shown);
                own.extend(inner.own_rows(resources, shown, AccessVerb::List, between));
            }
        }
        let Reach { from, columns } = reach(resources, relation, base, between);
        self.scope = std::mem::take(&mut inner.scope);
        let Cardinality::Many { limit } = relation.cardinality else {
            unreachable!("one row is joined")
        };
        self.items.push(Item {
            source: Source::Rows(Gathering {
                name: format!("l{base}"),
                items: inner.items,
                from: from + &inner.joins,
                links: columns.into_iter().zip(around).collect(),
                own,
                order,
                rows: limit.saturating_add(1),
            }),
            shown: Shown::AsIs,
            type_name: None,
        });
        (self.items.len() - 1, shape)
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
        let mut on = equal.collect::<Vec<_>>().join(" AND ");
        if let Some(own) = self.own_rows(resources, target, AccessVerb::Read, inner) {
            on += " AND ";
            on += &own;
        }
        self.joins += " LEFT JOIN ";
        self.joins += &table;
        self.joins += " AS t";
        self.joins += &inner.to_string();
        self.joins += " ON ";
        self.joins += &on;
    }

    /// Notes that rows of `target`, called `alias`, enter the statement beside those of the base, and says which of
    /// them the viewer may be shown; `None` for all. Every way in which related rows enter what is shown goes through
    /// here: [`AccessVerb::Read`] for one row, [`AccessVerb::List`] for many.
    fn own_rows(
        &mut self,
        resources: &Resources,
        target: &Resource,
        verb: AccessVerb,
        alias: usize,
    ) -> Option<String> {
        let scope = &mut self.scope;
        if !scope.nested.contains(&(target.id, verb)) {
            scope.nested.push((target.id, verb));
        }
        let (dialect, values) = (self.dialect, &mut scope.values);
        let bind = &mut |value: Value, target: Option<&str>| {
            values.push(value);
            dialect.placeholder(values.len(), target)
        };
        let viewer = scope.viewer.as_ref();
        let own = owner::condition(resources, target, verb, viewer, alias, bind);
        scope.is_personal |= own.is_some();
        own
    }

    /// The place of a column in the `SELECT` list; added when it is new.
    pub(super) fn column(
        &mut self,
        resources: &Resources,
        resource: &Resource,
        alias: usize,
        index: usize,
    ) -> usize {
        let native = resources.table_of(resource).columns[index].native.as_ref();
        let shown = native.map_or(Shown::AsIs, |native| native.shown);
        let place = self.item(column(resources, resource, alias, index), shown);
        self.items[place].type_name = native.map(|native| native.type_name.clone());
        place
    }

    /// The place of an expression in the `SELECT` list; added when it is new.
    pub(super) fn item(&mut self, expression: String, shown: Shown) -> usize {
        let known = self
            .items
            .iter()
            .position(|item| matches!(&item.source, Source::Value(known) if *known == expression));
        known.unwrap_or_else(|| {
            self.items.push(Item {
                source: Source::Value(expression),
                shown,
                type_name: None,
            });
            self.items.len() - 1
        })
    }

    fn note(&mut self, resource: &Resource) {
        self.note_table(resource.table);
        if !self.scope.resources.contains(&resource.id) {
            self.scope.resources.push(resource.id);
        }
    }

    fn note_table(&mut self, table: TableId) {
        if !self.scope.tables.contains(&table) {
            self.scope.tables.push(table);
        }
    }

    /// The tables read, the base table first.
    pub(super) fn tables(&self) -> &[TableId] {
        &self.scope.tables
    }

    /// The resources whose rows are told of beside those of the base, and what is done with them.
    pub(super) fn nested(&self) -> &[(ResourceId, AccessVerb)] {
        &self.scope.nested
    }

    /// What is compared with to choose related rows. Conditions that follow number their placeholders after these.
    pub(super) fn values(&self) -> &[Value] {
        &self.scope.values
    }

    /// Whether what is shown of related rows depends on the viewer.
    pub(super) fn is_personal(&self) -> bool {
        self.scope.is_personal
    }

    /// The resources whose rows are told of, the base first.
    pub(super) fn resources(&self) -> &[ResourceId] {
        &self.scope.resources
    }

    /// Whether rows are gathered in it.
    pub(super) fn has_lists(&self) -> bool {
        let is_list = |item: &Item| matches!(item.source, Source::Rows(_));
        self.items.iter().any(is_list)
    }

    /// `SELECT … FROM … AS t0 LEFT JOIN …`, in the form that is answered.
    pub(super) fn select(&self, table: &Table) -> String {
        let around = |place: usize| match &self.items[place].source {
            Source::Value(expression) => expression.clone(),
            Source::Rows(_) => unreachable!("rows are related by values"),
        };
        let items = self.items.iter().map(|item| match &item.source {
            Source::Value(expression) => self.dialect.shown(item.shown, expression),
            Source::Rows(rows) => rows.sql(self.dialect, &around),
        });
        self.select_items(table, &items.collect::<Vec<_>>())
    }

    /// The same with nothing changed for the answer and nothing gathered, each item called `c` and its place:
    /// for [`select_of_inner`](Self::select_of_inner) to be put around.
    pub(super) fn select_inner(&self, table: &Table) -> String {
        let items = self.items.iter().enumerate();
        let items = items.map(|(place, item)| match &item.source {
            Source::Value(expression) => format!("{expression} AS c{place}"),
            Source::Rows(_) => format!("NULL AS c{place}"),
        });
        self.select_items(table, &items.collect::<Vec<_>>())
    }

    /// `SELECT …` of what [`select_inner`](Self::select_inner) calls its items, in the form that is answered, from
    /// what is called `walk`.
    pub(super) fn select_of_inner(&self) -> String {
        let inner = |place: usize| format!("walk.c{place}");
        let items = self.items.iter().enumerate();
        let items: Vec<String> = items
            .map(|(place, item)| match &item.source {
                Source::Value(_) => self.dialect.shown(item.shown, &inner(place)),
                Source::Rows(rows) => rows.sql(self.dialect, &inner),
            })
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
            "SELECT {items} FROM {} AS t{}{}",
            self.dialect.table(table),
            self.base,
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
    column_of(resources, resources.table_of(resource), alias, column)
}

/// A column of a table in SQL.
pub(super) fn column_of(
    resources: &Resources,
    table: &Table,
    alias: usize,
    column: usize,
) -> String {
    let name = &table.columns[column].name;
    format!("t{alias}.{}", resources.catalog().dialect().quote(name))
}
