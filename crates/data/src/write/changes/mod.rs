//! A body checked against a resource: what is to be written into which column.

use serde_json::value::RawValue;

use super::body::Body;
use super::convert::convert;
use super::invalid::{BodyError, FieldError, FieldErrorCode, MOST_ERRORS};
use crate::catalog::{Column, ColumnKind, Table};
use crate::principal::Principal;
use crate::resource::{AccessVerb, DidYouMean, Resource, nearest};
use crate::statement::Value;

/// A column set on every write, such as `updated_at` to the present time. A body need not name it;
/// one that does wins.
#[derive(Debug, Clone, PartialEq)]
pub struct Touch {
    /// The column, by index in the table.
    pub column: usize,
    /// What it is set to.
    pub value: Value,
}

/// The columns to write and their values, all valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    pub(super) assignments: Vec<Assignment>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Assignment {
    pub(super) column: usize,
    pub(super) value: Value,
    /// Whether the value is a patch to be merged into the JSON the column holds.
    pub(super) merge: bool,
    /// Whether it is for a row that is created only: one that is there keeps what it has.
    pub(super) only_created: bool,
}

/// What every body of a resource is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Bodies<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// The table behind it.
    pub table: &'a Table,
    /// The column set on every write.
    pub touch: Option<&'a Touch>,
    /// Who writes: the owner of what they create. Rows with owners cannot be created without.
    pub writer: Option<&'a Principal>,
}

/// What the verb asks of a body.
struct Rules<'a> {
    resource: &'a Resource,
    table: &'a Table,
    /// The key of the row addressed; none when a row is created.
    key: Option<&'a [Value]>,
    /// Whether fields may be left out and JSON fields are merged.
    partial: bool,
    touch: Option<&'a Touch>,
    writer: Option<&'a Principal>,
}

impl<'a> Bodies<'a> {
    /// The row a `POST` asks for.
    ///
    /// # Errors
    /// [`BodyError`]: every mistake, not just the first.
    pub fn create(&self, body: &[u8]) -> Result<Changes, BodyError> {
        self.rules(None, false).check(body)
    }

    /// The changes a `PATCH` asks for, of the row with this key.
    ///
    /// # Errors
    /// [`BodyError`]: every mistake, not just the first.
    pub fn update(&self, key: &[Value], body: &[u8]) -> Result<Changes, BodyError> {
        self.rules(Some(key), true).check(body)
    }

    /// The row a `PUT` asks for, under this key.
    ///
    /// # Errors
    /// [`BodyError`]: every mistake, not just the first.
    pub fn replace(&self, key: &[Value], body: &[u8]) -> Result<Changes, BodyError> {
        self.rules(Some(key), false).check(body)
    }

    fn rules<'b>(&'b self, key: Option<&'b [Value]>, partial: bool) -> Rules<'b>
    where
        'a: 'b,
    {
        Rules {
            resource: self.resource,
            table: self.table,
            key,
            partial,
            touch: self.touch,
            writer: self.writer,
        }
    }
}

impl Changes {
    /// The row a `POST` asks for.
    ///
    /// # Errors
    /// [`BodyError`]: every mistake, not just the first.
    pub fn create(
        resource: &Resource,
        table: &Table,
        body: &[u8],
        touch: Option<&Touch>,
    ) -> Result<Self, BodyError> {
        let writer = None;
        Bodies {
            resource,
            table,
            touch,
            writer,
        }
        .create(body)
    }

    /// The changes a `PATCH` asks for, of the row with this key.
    ///
    /// # Errors
    /// [`BodyError`]: every mistake, not just the first.
    pub fn update(
        resource: &Resource,
        table: &Table,
        key: &[Value],
        body: &[u8],
        touch: Option<&Touch>,
    ) -> Result<Self, BodyError> {
        let writer = None;
        Bodies {
            resource,
            table,
            touch,
            writer,
        }
        .update(key, body)
    }

    /// The row a `PUT` asks for, under this key.
    ///
    /// # Errors
    /// [`BodyError`]: every mistake, not just the first.
    pub fn replace(
        resource: &Resource,
        table: &Table,
        key: &[Value],
        body: &[u8],
        touch: Option<&Touch>,
    ) -> Result<Self, BodyError> {
        let writer = None;
        Bodies {
            resource,
            table,
            touch,
            writer,
        }
        .replace(key, body)
    }

    /// Whether nothing is to be written of a row that is there.
    pub fn is_empty(&self) -> bool {
        self.assignments.iter().all(|one| one.only_created)
    }
}

impl Rules<'_> {
    fn check(&self, body: &[u8]) -> Result<Changes, BodyError> {
        let Body(members) = Body::parse(body)?;
        let mut seen = vec![false; self.table.columns.len()];
        let mut assignments = Vec::with_capacity(members.len());
        let mut errors = Vec::new();
        for (name, value) in &members {
            match self.member(name, value, &mut seen) {
                Ok(assignment) => assignments.extend(assignment),
                Err(error) => errors.push(error),
            }
            if errors.len() == MOST_ERRORS {
                return Err(BodyError::Invalid(errors));
            }
        }
        if !self.partial {
            errors.extend(self.missing(&seen));
            errors.truncate(MOST_ERRORS);
        }
        if !errors.is_empty() {
            return Err(BodyError::Invalid(errors));
        }
        // An update that changes nothing is none: it must not look like one.
        if let Some(touch) = self.touch.filter(|touch| !seen[touch.column])
            && !(self.partial && assignments.is_empty())
        {
            let value = touch.value.clone();
            assignments.push(Assignment {
                column: touch.column,
                value,
                merge: false,
                only_created: false,
            });
        }
        match self.owner() {
            Ok(owner) => assignments.extend(owner),
            Err(error) => return Err(BodyError::Invalid(vec![error])),
        }
        Ok(Changes { assignments })
    }

    /// One member of the body; nothing for a key that repeats the address.
    fn member(
        &self,
        name: &str,
        value: &RawValue,
        seen: &mut [bool],
    ) -> Result<Option<Assignment>, FieldError> {
        let fail = |code, message| Err(FieldError::at(name, code, message));
        let Some(field) = self.resource.field(name) else {
            let near = nearest(
                name,
                self.resource.fields.iter().map(|field| field.name.as_str()),
            );
            let message = format!("There is no field {name:?}.{}", DidYouMean(near));
            return fail(FieldErrorCode::UnknownField, message);
        };
        let index = self.resource.fields[field].column;
        let column = &self.table.columns[index];
        if std::mem::replace(&mut seen[index], true) {
            return fail(
                FieldErrorCode::Duplicate,
                format!("The field {name:?} is given twice."),
            );
        }
        if column.generated {
            let message = format!("The field {name:?} is computed by the database: leave it out.");
            return fail(FieldErrorCode::ReadOnly, message);
        }
        let converted = convert(column, value.get()).map_err(|(code, rest)| {
            FieldError::at(name, code, format!("The field {name:?} {rest}"))
        })?;
        if let Some(addressed) = self.addressed(index) {
            return if *addressed == converted {
                Ok(None)
            } else {
                let message = format!("The key of a row cannot be changed: leave {name:?} out.");
                fail(FieldErrorCode::ReadOnly, message)
            };
        }
        if self.key.is_none() && converted == Value::Null && self.resource.key.contains(&index) {
            return fail(
                FieldErrorCode::Null,
                format!("The field {name:?} is part of the key and must not be null."),
            );
        }
        if self.resource.owners.columns().any(|owner| *owner == index) {
            self.check_owner(name, index, &converted)?;
            if self.key.is_some() || self.resource.owners.of(AccessVerb::Create) == Some(index) {
                return Ok(None);
            }
        }
        let merge = self.partial && column.kind == ColumnKind::Json && value.get().starts_with('{');
        Ok(Some(Assignment {
            column: index,
            value: converted,
            merge,
            only_created: false,
        }))
    }

    /// A row belongs to whoever created it, and stays with them: a body may say so, and nothing else.
    fn check_owner(&self, name: &str, index: usize, given: &Value) -> Result<(), FieldError> {
        let owners = &self.resource.owners;
        let own = self
            .writer
            .and_then(|writer| writer.value_in(&self.table.columns[index]));
        let verb = match self.key {
            None => AccessVerb::Create,
            Some(_) => AccessVerb::Update,
        };
        if owners.of(verb) == Some(index) {
            return if own.as_ref() == Some(given) {
                Ok(())
            } else {
                let message = format!(
                    "The field {name:?} says whose the row is, and that is you: leave it out."
                );
                Err(FieldError::at(name, FieldErrorCode::ReadOnly, message))
            };
        }
        if self.key.is_some() {
            let message = format!(
                "The field {name:?} says whose the row is, which cannot be changed: leave it out."
            );
            return Err(FieldError::at(name, FieldErrorCode::ReadOnly, message));
        }
        Ok(())
    }

    /// The owner of a row that is created.
    fn owner(&self) -> Result<Option<Assignment>, FieldError> {
        let column = self.resource.owners.of(AccessVerb::Create);
        let Some(column) =
            column.filter(|column| !self.partial && self.addressed(*column).is_none())
        else {
            return Ok(None);
        };
        let owner = &self.table.columns[column];
        let Some(value) = self.writer.and_then(|writer| writer.value_in(owner)) else {
            let message = "A row here belongs to whoever creates it, and you can own none: log in as somebody who can.";
            let name = self.resource.field_of_column(column);
            let name = name.map_or("", |field| self.resource.fields[field].name.as_str());
            return Err(FieldError::at(
                name,
                FieldErrorCode::ReadOnly,
                message.to_owned(),
            ));
        };
        Ok(Some(Assignment {
            column,
            value,
            merge: false,
            only_created: true,
        }))
    }

    /// The part of the addressed key that is in this column.
    fn addressed(&self, column: usize) -> Option<&Value> {
        let position = self.resource.key.iter().position(|&key| key == column)?;
        self.key.map(|key| &key[position])
    }

    fn missing<'rules>(
        &'rules self,
        seen: &'rules [bool],
    ) -> impl Iterator<Item = FieldError> + 'rules {
        let exposed = self
            .resource
            .fields
            .iter()
            .filter(|field| !seen[field.column]);
        exposed.filter(|field| self.is_required(field.column)).map(|field| {
            let name = &field.name;
            let holds = field.kind.expectation();
            let message = match self.key {
                None => format!("The field {name:?} is required: it holds {holds}."),
                Some(_) => format!("The field {name:?} is missing: a row is replaced as a whole. It holds {holds}."),
            };
            FieldError::at(name, FieldErrorCode::Missing, message)
        })
    }

    fn is_required(&self, index: usize) -> bool {
        let column: &Column = &self.table.columns[index];
        if column.generated || self.touch.is_some_and(|touch| touch.column == index) {
            return false;
        }
        if self.resource.owners.of(AccessVerb::Create) == Some(index)
            || (self.key.is_some() && self.resource.owners.columns().any(|owner| *owner == index))
        {
            return false;
        }
        let in_key = self.resource.key.contains(&index);
        match self.key {
            None if in_key => !(column.rowid_alias || column.has_default),
            None => !column.optional_on_insert(),
            Some(_) => !in_key,
        }
    }
}

#[cfg(test)]
mod tests;
