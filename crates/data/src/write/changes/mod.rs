//! A body checked against a resource: what is to be written into which column.

use serde_json::value::RawValue;

use super::body::Body;
use super::convert::convert;
use super::invalid::{BodyError, FieldError, FieldErrorCode, MOST_ERRORS};
use crate::catalog::{Column, ColumnKind, Table};
use crate::resource::{DidYouMean, Resource, nearest};
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
        Rules {
            resource,
            table,
            key: None,
            partial: false,
            touch,
        }
        .check(body)
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
        Rules {
            resource,
            table,
            key: Some(key),
            partial: true,
            touch,
        }
        .check(body)
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
        Rules {
            resource,
            table,
            key: Some(key),
            partial: false,
            touch,
        }
        .check(body)
    }

    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.assignments.is_empty()
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
            });
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
        let merge = self.partial && column.kind == ColumnKind::Json && value.get().starts_with('{');
        Ok(Some(Assignment {
            column: index,
            value: converted,
            merge,
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
