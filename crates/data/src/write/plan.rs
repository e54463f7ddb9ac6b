//! A write as SQL: decided without touching the database.

use super::changes::Changes;
use super::constraint::Names;
use super::session::ChangeKind;
use super::sql::Builder;
use crate::catalog::{Table, TableId};
use crate::plan::quote;
use crate::resource::{Resource, ResourceId, WriteVerb};
use crate::sqlite::row_version_sql;
use crate::statement::{Statement, Value};

/// What must hold of the row for the write to take place (RFC 9110 section 13.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// `If-Match` with tags: the row exists and has one of these versions.
    IfMatch(Vec<String>),
    /// `If-Match: *`: the row exists.
    IfMatchAny,
    /// `If-None-Match: *`: the row does not exist.
    IfNoneMatchAny,
}

/// A write ready to run.
#[derive(Debug, Clone)]
pub struct WritePlan {
    pub(super) resource: ResourceId,
    pub(super) table: TableId,
    pub(super) kind: ChangeKind,
    /// Writes, and gives the key of the row written, if there was one to write.
    pub(super) statement: Statement,
    /// Gives the version of the row addressed: tells 404 from 412 when nothing was written.
    pub(super) current: Option<Statement>,
    /// Creates the row when there is none.
    pub(super) otherwise: Option<Statement>,
    pub(super) precondition: Precondition,
    /// Whether a row that does not exist fails the precondition, where it would have been created.
    pub(super) absent_fails: bool,
    /// Gives the version of a row; the parts of its key are the values.
    pub(super) version_sql: Option<std::sync::Arc<str>>,
    pub(super) names: Names,
}

impl WritePlan {
    /// Creates a row.
    pub fn create(resource: &Resource, table: &Table, changes: &Changes) -> Self {
        let insert = insert(resource, table, None, changes, "");
        Self::new(resource, table, ChangeKind::Created, insert).referring(resource, table, changes)
    }

    /// Changes some columns of a row. Without changes it only evaluates the precondition.
    pub fn update(
        resource: &Resource,
        table: &Table,
        key: &[Value],
        changes: &Changes,
        precondition: Precondition,
    ) -> Self {
        let statement = update(resource, table, key, changes, &precondition);
        Self::new(resource, table, updated(changes), statement)
            .addressed(resource, table, key, precondition)
            .referring(resource, table, changes)
    }

    /// Puts a row in the place of the one with this key, or creates it: see the table in the
    /// [module](crate::write).
    pub fn replace(
        resource: &Resource,
        table: &Table,
        key: &[Value],
        changes: &Changes,
        precondition: Precondition,
    ) -> Self {
        let place = Some(key);
        let may_create = resource.can(WriteVerb::Create);
        if precondition == Precondition::IfNoneMatchAny && may_create {
            let on_conflict = format!(" ON CONFLICT ({}) DO NOTHING", names(table, &resource.key));
            let insert = insert(resource, table, place, changes, &on_conflict);
            return Self::new(resource, table, ChangeKind::Created, insert)
                .addressed(resource, table, key, precondition)
                .referring(resource, table, changes);
        }
        let statement = update(resource, table, key, changes, &precondition);
        let creates = may_create && precondition == Precondition::None;
        let mut plan = Self::new(resource, table, updated(changes), statement);
        plan.otherwise = creates.then(|| insert(resource, table, place, changes, ""));
        plan.absent_fails = matches!(
            precondition,
            Precondition::IfMatch(_) | Precondition::IfMatchAny
        );
        plan.addressed(resource, table, key, precondition)
            .referring(resource, table, changes)
    }

    /// Deletes a row.
    pub fn delete(
        resource: &Resource,
        table: &Table,
        key: &[Value],
        precondition: Precondition,
    ) -> Self {
        let delete = Builder::new("DELETE FROM", table).key(&resource.key, key);
        let statement = condition(delete, &precondition)
            .columns(" RETURNING ", &resource.key, "")
            .finish();
        Self::new(resource, table, ChangeKind::Deleted, statement).addressed(
            resource,
            table,
            key,
            precondition,
        )
    }

    fn new(resource: &Resource, table: &Table, kind: ChangeKind, statement: Statement) -> Self {
        let version = |key: &[usize]| {
            let nothing = vec![Value::Null; key.len()];
            select_version(table).key(key, &nothing).finish().sql
        };
        Self {
            resource: resource.id,
            table: table.id,
            kind,
            statement,
            current: None,
            otherwise: None,
            precondition: Precondition::None,
            absent_fails: false,
            version_sql: resource.has_key().then(|| version(&resource.key)),
            names: Names {
                table: table.name.clone(),
                fields: resource
                    .fields
                    .iter()
                    .map(|field| field.name.clone())
                    .collect(),
                references: Vec::new(),
            },
        }
    }

    fn addressed(
        mut self,
        resource: &Resource,
        table: &Table,
        key: &[Value],
        precondition: Precondition,
    ) -> Self {
        self.current = Some(select_version(table).key(&resource.key, key).finish());
        self.precondition = precondition;
        self
    }

    /// Notes the exposed fields written that refer to other tables.
    fn referring(mut self, resource: &Resource, table: &Table, changes: &Changes) -> Self {
        let written = |column: &usize| changes.assignments.iter().any(|one| one.column == *column);
        let columns = table
            .foreign_keys
            .iter()
            .flat_map(|key| &key.columns)
            .filter(|column| written(column));
        let fields = columns.filter_map(|&column| resource.field_of_column(column));
        self.names.references = fields
            .map(|field| resource.fields[field].name.clone())
            .collect();
        self.names.references.dedup();
        self
    }
}

fn updated(changes: &Changes) -> ChangeKind {
    if changes.is_empty() {
        ChangeKind::Unchanged
    } else {
        ChangeKind::Updated
    }
}

fn names(table: &Table, columns: &[usize]) -> String {
    let names: Vec<_> = columns
        .iter()
        .map(|&column| quote(&table.columns[column].name))
        .collect();
    names.join(", ")
}

fn insert(
    resource: &Resource,
    table: &Table,
    key: Option<&[Value]>,
    changes: &Changes,
    conflict: &str,
) -> Statement {
    Builder::new("INSERT INTO", table)
        .row(key.map(|key| (resource.key.as_slice(), key)), changes)
        .text(conflict)
        .columns(" RETURNING ", &resource.key, "")
        .finish()
}

fn update(
    resource: &Resource,
    table: &Table,
    key: &[Value],
    changes: &Changes,
    precondition: &Precondition,
) -> Statement {
    let key_columns = resource.key.as_slice();
    if changes.is_empty() {
        let select = Builder::new(&format!("SELECT {} FROM", names(table, key_columns)), table)
            .key(key_columns, key);
        return condition(select, precondition).finish();
    }
    let update = Builder::new("UPDATE", table)
        .assignments(changes)
        .key(key_columns, key);
    condition(update, precondition)
        .columns(" RETURNING ", key_columns, "")
        .finish()
}

/// The precondition as part of a `WHERE` that addresses one row.
fn condition<'table>(builder: Builder<'table>, precondition: &Precondition) -> Builder<'table> {
    match precondition {
        Precondition::None | Precondition::IfMatchAny => builder,
        Precondition::IfMatch(versions) => builder.version_in(versions),
        Precondition::IfNoneMatchAny => builder.text(" AND 1 = 0"),
    }
}

fn select_version(table: &Table) -> Builder<'_> {
    Builder::new(
        &format!("SELECT {} FROM", row_version_sql(table, &table.name)),
        table,
    )
}
