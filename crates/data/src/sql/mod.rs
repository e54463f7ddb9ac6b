//! What the engines spell differently in SQL.
//!
//! Plans are made once, for whichever engine the catalog was read from; what differs is asked here:
//!
//! | | SQLite | PostgreSQL |
//! |---|---|---|
//! | placeholder | `?1` | `$1::int8`: text with the column's type, so that no type is guessed or looked up |
//! | table | `"t"` | `"schema"."t"` |
//! | `NULL` in an order | smallest | largest, as its indexes have it |
//! | `[like]` | `LIKE`, ASCII letters in either case | `ILIKE`, letters in either case |
//! | version of a row | a hash of its values | `xmin`, the transaction that wrote it |

mod quote;

pub use quote::quote;

use crate::catalog::{Column, ColumnKind, Shown, Table};
use crate::sqlite::row_version_sql;

/// The SQL an engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SqlDialect {
    /// SQLite 3.
    #[default]
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl SqlDialect {
    /// The table's name as it stands after `FROM`.
    pub(crate) fn table(self, table: &Table) -> String {
        match (self, &table.schema) {
            (Self::Postgres, Some(schema)) => {
                format!("{}.{}", quote(schema), quote(&table.name))
            }
            _ => quote(&table.name),
        }
    }

    /// The placeholder of the first value, compared with text.
    pub fn first_placeholder(self) -> &'static str {
        match self {
            Self::Sqlite => "?1",
            Self::Postgres => "$1",
        }
    }

    /// The placeholder of this number, from 1, for a value compared with something of type `target`
    /// ([`parameter_type`](Self::parameter_type)).
    pub(crate) fn placeholder(self, number: usize, target: Option<&str>) -> String {
        match (self, target) {
            (Self::Sqlite, _) => format!("?{number}"),
            (Self::Postgres, None) => format!("${number}"),
            (Self::Postgres, Some(target)) => format!("${number}::{target}"),
        }
    }

    /// The type a value compared with this column is read as; `None` where values carry their own.
    ///
    /// Whole numbers are always read as the widest: what is too large for the column is then unequal to all
    /// its values, and not an error.
    pub(crate) fn parameter_type(self, column: &Column) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres if column.kind == ColumnKind::Integer => self.integer(),
            Self::Postgres => column
                .native
                .as_ref()
                .map(|native| native.type_name.as_str()),
        }
    }

    /// The type of `LIMIT` and `OFFSET`.
    pub(crate) fn integer(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("int8"),
        }
    }

    /// Whether `NULL` comes after every value in ascending order.
    pub(crate) fn null_is_largest(self) -> bool {
        match self {
            Self::Sqlite => false,
            Self::Postgres => true,
        }
    }

    /// `column LIKE pattern`, whatever the letters' case. `pattern` is a placeholder without type.
    pub(crate) fn like(self, column: &Column, left: &str, pattern: &str) -> String {
        match self {
            Self::Sqlite => format!("{left} LIKE {pattern} ESCAPE '\\'"),
            Self::Postgres => {
                let left = match (column.kind, &column.native) {
                    // As answers show them, whatever the session's settings.
                    (ColumnKind::Date, _) => format!("to_char({left}, 'YYYY-MM-DD')"),
                    (ColumnKind::DateTime, Some(native))
                        if native.type_name == "\"timestamptz\"" =>
                    {
                        format!(
                            "to_char({left} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
                        )
                    }
                    (ColumnKind::DateTime, _) => {
                        format!("to_char({left}, 'YYYY-MM-DD\"T\"HH24:MI:SS')")
                    }
                    (ColumnKind::Text, Some(native)) if native.shown == Shown::AsIs => {
                        left.to_owned()
                    }
                    _ => format!("{left}::text"),
                };
                format!("{left} ILIKE {pattern}")
            }
        }
    }

    /// What stands in a `SELECT` list for `expression`, answered in this form.
    pub(crate) fn shown(self, shown: Shown, expression: &str) -> String {
        match (self, shown) {
            (Self::Sqlite, _) | (Self::Postgres, Shown::AsIs) => expression.to_owned(),
            (Self::Postgres, Shown::AsText) => format!("{expression}::text"),
            (Self::Postgres, Shown::AsJson) => format!("to_json({expression})"),
        }
    }

    /// The version of a row of `table`, which the statement calls `alias`, as text.
    pub(crate) fn row_version(self, table: &Table, alias: &str) -> String {
        match self {
            Self::Sqlite => row_version_sql(table, alias),
            Self::Postgres => format!("{}.xmin::text", quote(alias)),
        }
    }
}
