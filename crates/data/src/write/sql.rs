//! SQL text put together with its values.

use std::fmt::Write as _;

use super::changes::Changes;
use crate::catalog::{Shown, Table};
use crate::sql::{SqlDialect, mysql};
use crate::statement::{Statement, Value};

/// A statement about one table in the making.
pub(super) struct Builder<'table> {
    dialect: SqlDialect,
    table: &'table Table,
    sql: String,
    values: Vec<Value>,
    /// The columns whose value is a patch still to be merged, and where it stands among the values.
    patches: Vec<(usize, usize)>,
}

impl<'table> Builder<'table> {
    /// `verb` is followed by the table's name.
    pub(super) fn new(dialect: SqlDialect, verb: &str, table: &'table Table) -> Self {
        Self {
            dialect,
            table,
            sql: format!("{verb} {}", dialect.table(table)),
            values: Vec::new(),
            patches: Vec::new(),
        }
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.sql.push_str(text);
        self
    }

    pub(super) fn assignments(mut self, changes: &Changes) -> Self {
        let kept = changes.assignments.iter().filter(|one| !one.only_created);
        for (number, assignment) in kept.enumerate() {
            let column = self.column(assignment.column);
            self.sql.push_str(if number == 0 { " SET " } else { ", " });
            let _ = write!(self.sql, "{column} = ");
            if assignment.merge && self.dialect == SqlDialect::Sqlite {
                let _ = write!(
                    self.sql,
                    "json_patch(CASE WHEN json_valid({column}) THEN {column} ELSE '{{}}' END, "
                );
                self.value(assignment.column, &assignment.value);
                self.sql.push(')');
            } else {
                if assignment.merge {
                    self.patches.push((assignment.column, self.values.len()));
                }
                self.value(assignment.column, &assignment.value);
            }
        }
        self
    }

    /// ` (columns) VALUES (values)`, with the key where one is given.
    pub(super) fn row(mut self, key: Option<(&[usize], &[Value])>, changes: &Changes) -> Self {
        let (columns, values) = key.unwrap_or_default();
        let written = changes
            .assignments
            .iter()
            .map(|one| (one.column, &one.value));
        let all: Vec<_> = columns.iter().copied().zip(values).chain(written).collect();
        if all.is_empty() {
            self.sql.push_str(self.dialect.all_defaults());
            return self;
        }
        for (number, (column, _)) in all.iter().enumerate() {
            self.sql.push_str(if number == 0 { " (" } else { ", " });
            let column = self.column(*column);
            self.sql.push_str(&column);
        }
        for (number, (column, value)) in all.iter().enumerate() {
            self.sql
                .push_str(if number == 0 { ") VALUES (" } else { ", " });
            self.value(*column, value);
        }
        self.sql.push(')');
        self
    }

    /// ` (columns) VALUES (values), (values), …` of rows that name the same columns.
    pub(super) fn rows(mut self, rows: &[Changes]) -> Self {
        let columns = rows.first().map(|row| &row.assignments);
        for (number, one) in columns.into_iter().flatten().enumerate() {
            self.sql.push_str(if number == 0 { " (" } else { ", " });
            let column = self.column(one.column);
            self.sql.push_str(&column);
        }
        self.sql.push_str(") VALUES ");
        for (row, changes) in rows.iter().enumerate() {
            self.sql.push_str(if row == 0 { "(" } else { ", (" });
            for (number, one) in changes.assignments.iter().enumerate() {
                if number > 0 {
                    self.sql.push_str(", ");
                }
                self.value(one.column, &one.value);
            }
            self.sql.push(')');
        }
        self
    }

    pub(super) fn key(mut self, columns: &[usize], key: &[Value]) -> Self {
        for (number, (&index, value)) in columns.iter().zip(key).enumerate() {
            let column = self.column(index);
            let _ = write!(
                self.sql,
                "{}{column} = ",
                if number == 0 { " WHERE " } else { " AND " }
            );
            let target = self.dialect.parameter_type(&self.table.columns[index]);
            self.values.push(value.clone());
            self.sql += &self.dialect.placeholder(self.values.len(), target);
        }
        self
    }

    /// One more condition: the column has this value; without one, no row will do.
    pub(super) fn owned_by(mut self, column: usize, owner: Option<&Value>) -> Self {
        match owner {
            Some(owner) => {
                let name = self.dialect.quote(&self.table.name);
                let _ = write!(self.sql, "{name}.{} = ", self.column(column));
                let target = self.dialect.parameter_type(&self.table.columns[column]);
                self.values.push(owner.clone());
                self.sql += &self.dialect.placeholder(self.values.len(), target);
            }
            None => self.sql.push_str("1 = 0"),
        }
        self
    }

    /// ` ON DUPLICATE KEY UPDATE …` that fails ([`mysql::FAILED`]) where the insert meets a row, by whichever unique
    /// index: nothing of that is changed, and it stays locked. Without this the insert would fail too, but with a lock
    /// that others share, and of two who go on to change the row one is given up.
    pub(super) fn or_fail(mut self, column: usize) -> Self {
        let column = self.column(column);
        let _ = write!(
            self.sql,
            " ON DUPLICATE KEY UPDATE {column} = {}",
            mysql::FAIL
        );
        self
    }

    /// ` ON CONFLICT (key) DO UPDATE SET …`: what the row that is there gets of the one that was to be inserted.
    pub(super) fn or_update(mut self, key: &[usize], changes: &Changes) -> Self {
        let kept = changes.assignments.iter().filter(|one| !one.only_created);
        let mut columns: Vec<usize> = kept.map(|one| one.column).collect();
        if columns.is_empty() {
            // Something has to be set for the row to be told.
            columns.extend(key.first());
        }
        let conflict: Vec<String> = key.iter().map(|&column| self.column(column)).collect();
        let sets: Vec<String> = columns
            .iter()
            .map(|&column| {
                let name = self.column(column);
                format!("{name} = excluded.{name}")
            })
            .collect();
        let _ = write!(
            self.sql,
            " ON CONFLICT ({}) DO UPDATE SET {}",
            conflict.join(", "),
            sets.join(", ")
        );
        self
    }

    pub(super) fn version_in(mut self, versions: &[String]) -> Self {
        let _ = write!(
            self.sql,
            " AND {} IN (",
            self.dialect.row_version(self.table, &self.table.name)
        );
        for (number, version) in versions.iter().enumerate() {
            if number > 0 {
                self.sql.push_str(", ");
            }
            self.values.push(Value::Text(version.clone()));
            self.sql += &self.dialect.placeholder(self.values.len(), None);
        }
        self.sql.push(')');
        self
    }

    /// The columns between commas, in the form that is answered; `1` when there are none.
    pub(super) fn columns(mut self, before: &str, columns: &[usize], after: &str) -> Self {
        let names: Vec<_> = columns.iter().map(|&column| self.shown(column)).collect();
        let list = if names.is_empty() {
            "1".to_owned()
        } else {
            names.join(", ")
        };
        let _ = write!(self.sql, "{before}{list}{after}");
        self
    }

    pub(super) fn finish(self) -> Statement {
        Statement {
            sql: self.sql.into(),
            values: self.values,
        }
    }

    fn column(&self, index: usize) -> String {
        self.dialect.quote(&self.table.columns[index].name)
    }

    /// A column as it is answered.
    pub(super) fn shown(&self, index: usize) -> String {
        let native = self.table.columns[index].native.as_ref();
        let shown = native.map_or(Shown::AsIs, |native| native.shown);
        self.dialect.shown(shown, &self.column(index))
    }

    /// What is still to be merged.
    pub(super) fn patches(&self) -> &[(usize, usize)] {
        &self.patches
    }

    /// A placeholder for the value a column is to have.
    fn value(&mut self, column: usize, value: &Value) {
        let target = self.dialect.parameter_type(&self.table.columns[column]);
        self.values.push(value.clone());
        self.sql += &self.dialect.stored(self.values.len(), target);
    }
}
