//! Which rule of the schema a write broke, said without SQL.

use std::fmt;

use rusqlite::ffi;

use crate::catalog::Table;
use crate::resource::Resource;

/// The kind of rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// Another row has these values already.
    Unique,
    /// A row referred to does not exist, or this row is still referred to.
    ForeignKey,
    /// A `CHECK` does not hold.
    Check,
    /// A value is required.
    NotNull,
    /// A value is of a type the column does not take.
    Type,
    /// A trigger refused the write.
    Trigger,
}

/// A rule of the schema that a write broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// The kind of rule.
    pub kind: ConstraintKind,
    /// The fields it is about, as far as they are known and exposed.
    pub fields: Vec<String>,
    /// The name of a `CHECK`, where the schema gives it one.
    pub name: Option<String>,
}

/// What may be named of the table that is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(super) table: String,
    pub(super) fields: Vec<String>,
    /// The exposed fields written that refer to other tables.
    pub(super) references: Vec<String>,
    /// The rules that have names.
    pub(super) rules: Vec<Rule>,
}

/// A rule of the table that has a name.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    /// The exposed fields it is about.
    pub(super) fields: Vec<String>,
    /// Whether it is about exposed fields only: else its name may tell of others.
    pub(super) is_open: bool,
}

/// What a server says of a rule that was broken (ISO 9075: SQLSTATE).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlState<'error> {
    pub(crate) code: &'error str,
    /// The table it is about, where that is told.
    pub(crate) table: Option<&'error str>,
    pub(crate) column: Option<&'error str>,
    /// The rule's name.
    pub(crate) rule: Option<&'error str>,
}

impl Constraint {
    /// Whether the write collides with other rows (409); otherwise its own values are wrong (422).
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.kind,
            ConstraintKind::Unique | ConstraintKind::ForeignKey | ConstraintKind::Trigger
        )
    }

    pub(crate) fn refused() -> Self {
        Self {
            kind: ConstraintKind::Trigger,
            fields: Vec::new(),
            name: None,
        }
    }

    /// The rule behind a server's error, if it is about one. Rules of other tables, reached by triggers or
    /// cascades, are told without fields and names.
    pub(crate) fn from_state(state: &SqlState<'_>, names: &Names) -> Option<Self> {
        let kind = match state.code {
            "23505" | "23P01" => ConstraintKind::Unique,
            "23503" | "23001" => ConstraintKind::ForeignKey,
            "23502" => ConstraintKind::NotNull,
            "23514" | "44000" => ConstraintKind::Check,
            // Triggers that raise, and rules that are not named.
            "P0001" | "42501" | "23000" | "09000" | "27000" => ConstraintKind::Trigger,
            code if code.starts_with("22") => ConstraintKind::Type,
            _ => return None,
        };
        let own = state.table == Some(names.table.as_str());
        let known = |rule: &&Rule| own && state.rule == Some(rule.name.as_str());
        let rule = names.rules.iter().find(known);
        let fields = match kind {
            ConstraintKind::ForeignKey if own => names.references.clone(),
            ConstraintKind::NotNull | ConstraintKind::Type if own => {
                let fields = names.fields.iter();
                fields
                    .filter(|field| state.column == Some(field.as_str()))
                    .cloned()
                    .collect()
            }
            ConstraintKind::Unique | ConstraintKind::Check => {
                rule.map(|rule| rule.fields.clone()).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Some(Self {
            kind,
            fields,
            name: rule
                .filter(|rule| kind == ConstraintKind::Check && rule.is_open)
                .and_then(|rule| check_name(&rule.name)),
        })
    }

    /// The rule behind the driver's error, if it is about one.
    pub(super) fn from_driver(error: &rusqlite::Error, names: &Names) -> Option<Self> {
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return None;
        };
        let (_, rest) = message
            .as_deref()
            .and_then(|message| message.split_once(": "))
            .unwrap_or_default();
        let kind = match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => ConstraintKind::Unique,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ConstraintKind::ForeignKey,
            ffi::SQLITE_CONSTRAINT_CHECK => ConstraintKind::Check,
            ffi::SQLITE_CONSTRAINT_NOTNULL => ConstraintKind::NotNull,
            ffi::SQLITE_CONSTRAINT_DATATYPE | ffi::SQLITE_MISMATCH => ConstraintKind::Type,
            code if code & 0xff == ffi::SQLITE_CONSTRAINT => ConstraintKind::Trigger,
            _ => return None,
        };
        Some(Self {
            kind,
            fields: match kind {
                ConstraintKind::ForeignKey => names.references.clone(),
                ConstraintKind::Check => names.mentioned(rest),
                _ => names.columns(rest),
            },
            name: (kind == ConstraintKind::Check)
                .then(|| check_name(rest))
                .flatten(),
        })
    }
}

impl Names {
    /// Those of a resource's table. What refers to others is noted by what is written.
    pub(super) fn of(resource: &Resource, table: &Table) -> Self {
        let fields = resource.fields.iter();
        Self {
            table: table.name.clone(),
            fields: fields.map(|field| field.name.clone()).collect(),
            references: Vec::new(),
            rules: rules(resource, table),
        }
    }

    /// The table's name.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// The exposed ones among `table.column, table.column`.
    fn columns(&self, list: &str) -> Vec<String> {
        let own = list
            .split(", ")
            .filter_map(|part| part.strip_prefix(self.table.as_str())?.strip_prefix('.'));
        own.filter(|column| self.fields.iter().any(|field| field == column))
            .map(str::to_owned)
            .collect()
    }

    /// The exposed ones that stand as words in the text of a `CHECK`.
    fn mentioned(&self, text: &str) -> Vec<String> {
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        let stands = |field: &&String| words.iter().any(|word| word.eq_ignore_ascii_case(field));
        self.fields.iter().filter(stands).cloned().collect()
    }
}

/// The rules of a table that a server tells by their names.
fn rules(resource: &Resource, table: &Table) -> Vec<Rule> {
    let rule = |name: &str, columns: &mut dyn Iterator<Item = usize>| {
        let fields: Vec<Option<usize>> = columns
            .map(|column| resource.field_of_column(column))
            .collect();
        let shown = fields.iter().flatten();
        Rule {
            name: name.to_owned(),
            fields: shown
                .map(|&field| resource.fields[field].name.clone())
                .collect(),
            is_open: fields.iter().all(Option::is_some),
        }
    };
    let unique = table.indexes.iter().filter(|index| index.unique);
    let unique = unique.map(|index| {
        let columns = &mut index.columns.iter().filter_map(|column| column.column);
        rule(&index.name, columns)
    });
    let checks = table.checks.iter();
    let checks = checks.map(|check| rule(&check.name, &mut check.columns.iter().copied()));
    unique.chain(checks).collect()
}

/// The name of a `CHECK`: SQLite gives its text where it has none, which is not for clients.
fn check_name(text: &str) -> Option<String> {
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| text.to_owned())
}

impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.join(", ");
        match (self.kind, self.fields.is_empty()) {
            (ConstraintKind::Unique, false) => {
                write!(formatter, "another row has the same {fields}")
            }
            (ConstraintKind::Unique, true) => {
                formatter.write_str("another row has the same values")
            }
            (ConstraintKind::ForeignKey, false) => {
                write!(
                    formatter,
                    "what {fields} refers to does not exist, or other rows refer to this one"
                )
            }
            (ConstraintKind::ForeignKey, true) => formatter
                .write_str("other rows refer to this one, or it refers to one that does not exist"),
            (ConstraintKind::Check, no_field) => {
                let what = if no_field { "the values" } else { &fields };
                match &self.name {
                    Some(name) => write!(
                        formatter,
                        "the rule {name} does not allow this value of {what}"
                    ),
                    None => write!(
                        formatter,
                        "a rule of the table does not allow this value of {what}"
                    ),
                }
            }
            (ConstraintKind::NotNull, false) => write!(formatter, "{fields} must have a value"),
            (ConstraintKind::NotNull, true) => formatter.write_str(
                "a column that is not served must have a value: such rows cannot be written here",
            ),
            (ConstraintKind::Type, false) => {
                write!(formatter, "{fields} does not take a value of this type")
            }
            (ConstraintKind::Type, true) => {
                formatter.write_str("a value is of a type its column does not take")
            }
            (ConstraintKind::Trigger, _) => {
                formatter.write_str("a rule of the database refused the write")
            }
        }
    }
}
