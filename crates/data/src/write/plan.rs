//! A write as SQL: decided without touching the database.

use super::changes::Changes;
use super::constraint::{Constraint, Names};
use super::error::WriteError;
use super::merge::merged;
use super::session::{Change, ChangeKind, REPLACES};
use super::sql::Builder;
use crate::catalog::{Table, TableId};
use crate::principal::Principal;
use crate::resource::{AccessVerb, Resource, ResourceId, Resources, WriteVerb};
use crate::sql::SqlDialect;
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
    pub(crate) resource: ResourceId,
    pub(crate) table: TableId,
    pub(crate) kind: ChangeKind,
    /// Creates the row before all else where the engine cannot create or replace it in one statement; fails where it
    /// meets a row.
    pub(crate) first: Option<Statement>,
    /// Writes, and gives the key of the row written, if there was one to write.
    pub(crate) statement: Statement,
    /// Gives the version of the row addressed: tells 404 from 412 when nothing was written.
    pub(crate) current: Option<Statement>,
    /// Meets the row addressed whoever owns it, where that is not the same: it cannot be created, and is as absent.
    pub(crate) held: Option<Statement>,
    /// Creates the row when there is none.
    pub(crate) otherwise: Option<Statement>,
    pub(crate) precondition: Precondition,
    /// Whether a row that does not exist fails the precondition, where it would have been created.
    pub(crate) absent_fails: bool,
    /// Gives the version of a row; the parts of its key are the values.
    pub(crate) version_sql: Option<std::sync::Arc<str>>,
    pub(crate) names: Names,
    /// How many of the values returned are the key.
    pub(crate) key_length: usize,
    /// Whether the owner follows the key.
    tells_owner: bool,
    /// Whether the statement creates the row or replaces it, whichever it is.
    pub(crate) replaces_or_creates: bool,
    /// Patches that are merged by us, where the engine cannot.
    pub(crate) merge: Option<Merge>,
    /// The parts of the row's key as the request says them, `None` for what the database makes: for engines whose
    /// statements do not give the key.
    pub(crate) key: Vec<Option<Value>>,
    /// Gives the key of a row as it is stored, where the key addressed may be spelled in another way; its parts are
    /// the values.
    pub(crate) key_sql: Option<std::sync::Arc<str>>,
}

/// Reads what patches are merged into.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    /// Reads the columns of the row, and locks it.
    pub(crate) read: Statement,
    /// Where the patches stand among the values of the write, in the order of those columns.
    pub(crate) values: Vec<usize>,
}

/// Makes the plans of writes to one resource.
#[derive(Debug, Clone, Copy)]
pub struct Writes<'a> {
    resources: &'a Resources,
    resource: &'a Resource,
    writer: Option<&'a Principal>,
    may_create: bool,
}

impl<'a> Writes<'a> {
    /// Writes by nobody in particular: they reach no row that belongs to somebody.
    pub fn of(resources: &'a Resources, resource: &'a Resource) -> Self {
        Self {
            resources,
            resource,
            writer: None,
            may_create: resource.can(WriteVerb::Create),
        }
    }

    /// Writes by this principal: rows with owners are changed and deleted by theirs alone, and are as absent to
    /// others.
    #[must_use]
    pub fn by(mut self, writer: Option<&'a Principal>) -> Self {
        self.writer = writer;
        self
    }

    /// Whether a replacement may create the row. Default: as the resource says.
    #[must_use]
    pub fn may_create(mut self, may_create: bool) -> Self {
        self.may_create &= may_create;
        self
    }

    /// Creates a row.
    pub fn create(self, changes: &Changes) -> WritePlan {
        let target = self.target();
        let insert = insert(target, None, changes, "");
        let mut plan =
            WritePlan::new(target, ChangeKind::Created, insert).referring(target, changes);
        let given = |column: &usize| {
            let mut written = changes.assignments.iter();
            let found = written.find(|one| one.column == *column)?;
            Some(found.value.clone())
        };
        plan.key = self.resource.key.iter().map(given).collect();
        plan
    }

    /// Creates rows that name the same columns, in the same order.
    pub(super) fn insert_many(self, rows: &[Changes]) -> Statement {
        let target = self.target();
        let insert = target.builder("INSERT INTO").rows(rows);
        if target.dialect.returns_inserted() {
            target.returning(insert).finish()
        } else {
            insert.finish()
        }
    }

    /// Changes some columns of a row. Without changes it only evaluates the precondition.
    pub fn update(self, key: &[Value], changes: &Changes, precondition: Precondition) -> WritePlan {
        let target = self.target();
        let (statement, merge) = update(target, key, changes, &precondition);
        let mut plan = WritePlan::new(target, updated(changes), statement)
            .addressed(target, key, AccessVerb::Update, precondition)
            .referring(target, changes);
        plan.merge = merge;
        plan
    }

    /// Puts a row in the place of the one with this key, or creates it, in one statement: see the table in the
    /// [module](crate::write).
    pub fn replace(
        self,
        key: &[Value],
        changes: &Changes,
        precondition: Precondition,
    ) -> WritePlan {
        let target = self.target();
        let place = Some(key);
        let may_create = self.may_create && target.may_own(key);
        if precondition == Precondition::IfNoneMatchAny && may_create {
            let on_conflict = target
                .dialect
                .unless_there(&names(target, &self.resource.key));
            let insert = insert(target, place, changes, &on_conflict);
            return WritePlan::new(target, ChangeKind::Created, insert)
                .addressed(target, key, AccessVerb::Update, precondition)
                .referring(target, changes);
        }
        let creates = may_create && precondition == Precondition::None;
        let is_whole = creates && is_whole(target, changes);
        let plan = if is_whole && target.dialect.replaces_or_creates() {
            let statement = insert_or_update(target, key, changes);
            let mut plan = WritePlan::new(target, ChangeKind::Created, statement);
            plan.replaces_or_creates = true;
            plan
        } else {
            let (statement, _) = update(target, key, changes, &precondition);
            let mut plan = WritePlan::new(target, updated(changes), statement);
            if is_whole {
                let insert = target
                    .builder("INSERT INTO")
                    .row(Some((self.resource.key.as_slice(), key)), changes);
                plan.first = Some(insert.or_fail(self.resource.key[0]).finish());
            }
            plan.otherwise = creates.then(|| insert(target, place, changes, ""));
            plan.absent_fails = matches!(
                precondition,
                Precondition::IfMatch(_) | Precondition::IfMatchAny
            );
            plan
        };
        plan.addressed(target, key, AccessVerb::Update, precondition)
            .referring(target, changes)
    }

    /// Deletes a row.
    pub fn delete(self, key: &[Value], precondition: Precondition) -> WritePlan {
        let target = self.target();
        let delete = target.builder("DELETE FROM").key(&self.resource.key, key);
        let delete = target.own_row(delete, AccessVerb::Delete);
        let statement = returning(condition(delete, &precondition), target).finish();
        WritePlan::new(target, ChangeKind::Deleted, statement).addressed(
            target,
            key,
            AccessVerb::Delete,
            precondition,
        )
    }

    fn target(self) -> Target<'a> {
        Target {
            dialect: self.resources.catalog().dialect(),
            resource: self.resource,
            table: self.resources.table_of(self.resource),
            writer: self.writer,
        }
    }
}

impl WritePlan {
    /// Creates a row: [`Writes::create`] by nobody in particular, as the others here.
    pub fn create(resources: &Resources, resource: &Resource, changes: &Changes) -> Self {
        Writes::of(resources, resource).create(changes)
    }

    /// Changes some columns of a row: [`Writes::update`].
    pub fn update(
        resources: &Resources,
        resource: &Resource,
        key: &[Value],
        changes: &Changes,
        precondition: Precondition,
    ) -> Self {
        Writes::of(resources, resource).update(key, changes, precondition)
    }

    /// Puts a row in the place of the one with this key, or creates it: [`Writes::replace`].
    pub fn replace(
        resources: &Resources,
        resource: &Resource,
        key: &[Value],
        changes: &Changes,
        precondition: Precondition,
    ) -> Self {
        Writes::of(resources, resource).replace(key, changes, precondition)
    }

    /// Deletes a row: [`Writes::delete`].
    pub fn delete(
        resources: &Resources,
        resource: &Resource,
        key: &[Value],
        precondition: Precondition,
    ) -> Self {
        Writes::of(resources, resource).delete(key, precondition)
    }

    fn new(target: Target<'_>, kind: ChangeKind, statement: Statement) -> Self {
        let Target {
            resource, table, ..
        } = target;
        let version = |key: &[usize]| {
            let nothing = vec![Value::Null; key.len()];
            target.select_version().key(key, &nothing).finish().sql
        };
        Self {
            resource: resource.id,
            table: table.id,
            kind,
            first: None,
            statement,
            current: None,
            held: None,
            otherwise: None,
            precondition: Precondition::None,
            absent_fails: false,
            version_sql: resource.has_key().then(|| version(&resource.key)),
            names: Names::of(resource, table),
            key_length: resource.key.len(),
            tells_owner: resource.owners.told().is_some(),
            replaces_or_creates: false,
            merge: None,
            key: Vec::new(),
            key_sql: (resource.has_key() && !target.dialect.returns_changed()).then(|| {
                let select = target.select_key(&vec![Value::Null; resource.key.len()]);
                // Read before it is gone, and gone as it was read.
                let is_deleted = kind == ChangeKind::Deleted;
                let select = select.text(if is_deleted { " FOR UPDATE" } else { "" });
                select.finish().sql
            }),
        }
    }

    /// The change that a statement's row tells of.
    pub(crate) fn change(&self, kind: ChangeKind, mut row: Vec<Value>) -> Change {
        let owner = row
            .get(self.key_length)
            .filter(|_| self.tells_owner)
            .cloned();
        row.truncate(self.key_length);
        Change {
            resource: self.resource,
            table: self.table,
            kind,
            key: row,
            owner,
        }
    }

    /// Merges patches of JSON columns into what the row holds: what [`Merge::read`] has read.
    pub(crate) fn merge_into(&mut self, row: Vec<Value>) {
        let Some(merge) = &self.merge else {
            return;
        };
        for (place, held) in merge.values.iter().zip(row) {
            let held = match held {
                Value::Text(text) => text,
                _ => String::new(),
            };
            if let Value::Text(patch) = &self.statement.values[*place] {
                self.statement.values[*place] = Value::Text(merged(&held, patch));
            }
        }
    }

    /// How many values the statement gives of a row: the key, its owner and whether it is new, as far as they are told.
    pub(crate) fn told_length(&self) -> usize {
        let told = self.key_length + usize::from(self.tells_owner);
        told.max(1) + usize::from(self.replaces_or_creates)
    }

    /// Whether a row has to be read for what is told of it: its key may be stored in another spelling than this one,
    /// or somebody owns it.
    pub(crate) fn is_told_by_reading(&self, key: &[Value]) -> bool {
        self.tells_owner || !key.iter().all(|part| matches!(part, Value::Integer(_)))
    }

    /// Nothing was written: why, by the version the row has now; nothing when the plan has something to do about an
    /// absent row.
    pub(crate) fn judge_absence(&self, current: Option<String>) -> Result<(), WriteError> {
        if self.current.is_none() {
            return Ok(());
        }
        match current {
            // Without a precondition the row must have been written, unless a trigger ignored it.
            Some(_) if self.precondition == Precondition::None => {
                Err(WriteError::Constraint(Constraint::refused()))
            }
            Some(current) => Err(WriteError::PreconditionFailed {
                current: Some(current),
            }),
            None if self.absent_fails => Err(WriteError::PreconditionFailed { current: None }),
            None if self.otherwise.is_none() => Err(WriteError::NotFound),
            None => Ok(()),
        }
    }

    fn addressed(
        mut self,
        target: Target<'_>,
        key: &[Value],
        verb: AccessVerb,
        precondition: Precondition,
    ) -> Self {
        let select = target.select_version().key(&target.resource.key, key);
        let select = target.own_row(select, verb);
        self.current = Some(select.text(target.dialect.held()).finish());
        if !target.dialect.returns_changed() && target.resource.owners.of(verb).is_some() {
            let select = target.select_key(key).text(target.dialect.held());
            self.held = Some(select.finish());
        }
        self.precondition = precondition;
        self.key = key.iter().cloned().map(Some).collect();
        self
    }

    /// Notes the exposed fields written that refer to other tables.
    fn referring(mut self, target: Target<'_>, changes: &Changes) -> Self {
        let Target {
            resource, table, ..
        } = target;
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

fn names(target: Target<'_>, columns: &[usize]) -> String {
    let names: Vec<_> = columns
        .iter()
        .map(|&column| target.dialect.quote(&target.table.columns[column].name))
        .collect();
    names.join(", ")
}

/// What is written, by whom, and in which SQL.
#[derive(Clone, Copy)]
struct Target<'a> {
    dialect: SqlDialect,
    resource: &'a Resource,
    table: &'a Table,
    writer: Option<&'a Principal>,
}

impl<'a> Target<'a> {
    fn builder(self, verb: &str) -> Builder<'a> {
        Builder::new(self.dialect, verb, self.table)
    }

    /// One more condition where the verb is for owners alone.
    fn own_row(self, builder: Builder<'a>, verb: AccessVerb) -> Builder<'a> {
        match self.resource.owners.of(verb) {
            Some(column) => {
                let owner = self.owner(column);
                builder.text(" AND ").owned_by(column, owner.as_ref())
            }
            None => builder,
        }
    }

    fn owner(self, column: usize) -> Option<Value> {
        self.writer?.value_in(&self.table.columns[column])
    }

    /// Whether the writer would own a row of this key, where the owner is part of it.
    fn may_own(self, key: &[Value]) -> bool {
        let owner = self.resource.owners.of(AccessVerb::Create);
        let place = owner.and_then(|column| {
            let place = self.resource.key.iter().position(|key| *key == column)?;
            Some((column, place))
        });
        place.is_none_or(|(column, place)| self.owner(column).as_ref() == Some(&key[place]))
    }

    /// ` RETURNING …`: the key, and the owner where that decides who is told.
    fn returning(self, builder: Builder<'a>) -> Builder<'a> {
        builder.columns(" RETURNING ", &self.told(), "")
    }

    fn told(self) -> Vec<usize> {
        let key = self.resource.key.iter().copied();
        key.chain(self.resource.owners.told()).collect()
    }

    /// Reads what [`returning`](Self::returning) tells, of the row with this key.
    fn select_key(self, key: &[Value]) -> Builder<'a> {
        let builder = self.builder("");
        let told = self.told();
        let columns: Vec<String> = told.iter().map(|&column| builder.shown(column)).collect();
        self.builder(&format!("SELECT {} FROM", columns.join(", ")))
            .key(&self.resource.key, key)
    }

    fn select_version(self) -> Builder<'a> {
        let version = self.dialect.row_version(self.table, &self.table.name);
        self.builder(&format!("SELECT {version} FROM"))
    }
}

fn insert(
    target: Target<'_>,
    key: Option<&[Value]>,
    changes: &Changes,
    conflict: &str,
) -> Statement {
    let columns = target.resource.key.as_slice();
    let insert = target
        .builder("INSERT INTO")
        .row(key.map(|key| (columns, key)), changes)
        .text(conflict);
    if target.dialect.returns_inserted() {
        target.returning(insert).finish()
    } else {
        insert.finish()
    }
}

/// What gives the key of the row that was changed, where the engine can.
fn returning<'table>(builder: Builder<'table>, target: Target<'table>) -> Builder<'table> {
    if target.dialect.returns_changed() {
        target.returning(builder)
    } else {
        builder
    }
}

/// Creates the row, or has the one that is there take its values, whoever comes first.
fn insert_or_update(target: Target<'_>, key: &[Value], changes: &Changes) -> Statement {
    let columns = target.resource.key.as_slice();
    let mut builder = target
        .builder("INSERT INTO")
        .row(Some((columns, key)), changes)
        .or_update(columns, changes);
    let mut joined = " WHERE ";
    if let Some(column) = target.resource.owners.of(AccessVerb::Update) {
        let owner = target.owner(column);
        builder = builder.text(joined).owned_by(column, owner.as_ref());
        joined = " AND ";
    }
    match target.dialect {
        SqlDialect::Sqlite => {
            let builder = builder.text(joined).text(REPLACES).text("()");
            target.returning(builder).finish()
        }
        // MySQL has no such statement: see `WritePlan::first`.
        SqlDialect::Postgres | SqlDialect::MySql(_) => {
            // A row that was updated carries the lock of its updater.
            let builder = target.returning(builder);
            builder.text(", (xmax = 0)::int4").finish()
        }
    }
}

/// Whether a row can be made of these columns alone. One that cannot is refused before the row that is there is met.
fn is_whole(target: Target<'_>, changes: &Changes) -> bool {
    let given = |index: &usize| {
        target.resource.key.contains(index)
            || changes.assignments.iter().any(|one| one.column == *index)
    };
    let columns = target.table.columns.iter().enumerate();
    columns
        .filter(|(index, _)| !given(index))
        .all(|(_, column)| column.generated || column.optional_on_insert())
}

/// The statement, and what is merged before it.
fn update(
    target: Target<'_>,
    key: &[Value],
    changes: &Changes,
    precondition: &Precondition,
) -> (Statement, Option<Merge>) {
    let key_columns = target.resource.key.as_slice();
    if changes.is_empty() {
        let select = target.own_row(target.select_key(key), AccessVerb::Update);
        return (condition(select, precondition).finish(), None);
    }
    let update = target
        .builder("UPDATE")
        .assignments(changes)
        .key(key_columns, key);
    let update = target.own_row(update, AccessVerb::Update);
    let patches = update.patches().to_vec();
    let merge = (!patches.is_empty()).then(|| {
        let columns: Vec<usize> = patches.iter().map(|(column, _)| *column).collect();
        let held = target
            .builder(&format!("SELECT {} FROM", names(target, &columns)))
            .key(key_columns, key);
        Merge {
            read: target
                .own_row(held, AccessVerb::Update)
                .text(" FOR UPDATE")
                .finish(),
            values: patches.iter().map(|(_, value)| *value).collect(),
        }
    });
    let statement = returning(condition(update, precondition), target).finish();
    (statement, merge)
}

/// The precondition as part of a `WHERE` that addresses one row.
fn condition<'table>(builder: Builder<'table>, precondition: &Precondition) -> Builder<'table> {
    match precondition {
        Precondition::None | Precondition::IfMatchAny => builder,
        Precondition::IfMatch(versions) => builder.version_in(versions),
        Precondition::IfNoneMatchAny => builder.text(" AND 1 = 0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MySqlFlavor;
    use crate::catalog::{Catalog, sqlite};
    use crate::resource::ResourceSpec;

    fn resources(dialect: SqlDialect) -> Resources {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL)";
        connection.execute_batch(schema).unwrap();
        let tables = sqlite::read(&connection).unwrap().tables().to_vec();
        let mut spec = ResourceSpec::new("item");
        spec.write = vec![WriteVerb::Create, WriteVerb::Update, WriteVerb::Replace];
        Resources::build(&Catalog::new(dialect, tables, Vec::new()), vec![spec]).unwrap()
    }

    /// What is written when the name of the row 7 is replaced under a precondition.
    fn written(flavor: MySqlFlavor, precondition: Precondition) -> WritePlan {
        let resources = resources(SqlDialect::MySql(flavor));
        let resource = &resources.all()[0];
        let table = resources.table_of(resource);
        let key = [Value::Integer(7)];
        let changes = Changes::replace(resource, table, &key, br#"{"name":"x"}"#, None).unwrap();
        WritePlan::replace(&resources, resource, &key, &changes, precondition)
    }

    #[test]
    fn mysql_says_no_key_of_what_it_changed() {
        let plan = written(MySqlFlavor::MariaDb, Precondition::IfMatchAny);
        let update = "UPDATE `item` SET `name` = ?1 WHERE `id` = ?2";
        assert_eq!(&*plan.statement.sql, update);
        assert_eq!(plan.key, [Some(Value::Integer(7))]);
        assert_eq!(
            plan.key_sql.as_deref(),
            Some("SELECT `id` FROM `item` WHERE `id` = ?1")
        );
        assert!(plan.otherwise.is_none());
        let current = plan.current.unwrap().sql;
        assert!(current.ends_with(" WHERE `id` = ?1 LOCK IN SHARE MODE"));
    }

    #[test]
    fn mysql_creates_first_and_replaces_the_row_of_the_key_alone() {
        let insert = "INSERT INTO `item` (`id`, `name`) VALUES (?1, ?2)";
        let plan = written(MySqlFlavor::MySql, Precondition::None);
        let first =
            format!("{insert} ON DUPLICATE KEY UPDATE `id` = (SELECT 1 UNION ALL SELECT 2)");
        assert_eq!(*plan.first.unwrap().sql, first);
        let update = "UPDATE `item` SET `name` = ?1 WHERE `id` = ?2";
        assert_eq!(&*plan.statement.sql, update);
        assert_eq!(&*plan.otherwise.unwrap().sql, insert);
        assert!(plan.held.is_none(), "rows have no owners");
        let plan = written(MySqlFlavor::MariaDb, Precondition::None);
        let insert = format!("{insert} RETURNING `id`");
        assert_eq!(*plan.otherwise.unwrap().sql, insert);
        let plan = written(MySqlFlavor::MariaDb, Precondition::IfMatchAny);
        assert!(plan.first.is_none() && plan.otherwise.is_none());
    }

    #[test]
    fn a_precondition_is_part_of_the_statement() {
        let versions = Precondition::IfMatch(vec!["a".to_owned()]);
        let plan = written(MySqlFlavor::MariaDb, versions);
        let sql = &*plan.statement.sql;
        let begin = "UPDATE `item` SET `name` = ?1 WHERE `id` = ?2 AND LEFT(SHA2(CONCAT_WS(";
        assert!(sql.starts_with(begin), "{sql}");
        assert!(sql.ends_with(" IN (?3)"), "{sql}");
        // A row that is there already is the insert's error, which the engine judges.
        let plan = written(MySqlFlavor::MySql, Precondition::IfNoneMatchAny);
        let sql = &*plan.statement.sql;
        assert_eq!(sql, "INSERT INTO `item` (`id`, `name`) VALUES (?1, ?2)");
    }
}
