//! What the engines spell differently in SQL.
//!
//! Plans are made once, for whichever engine the catalog was read from; what differs is asked here:
//!
//! | | SQLite | PostgreSQL | MySQL, MariaDB |
//! |---|---|---|---|
//! | placeholder | `?1` | `$1::int8`: text with the column's type, so that no type is guessed or looked up | `?1`, in a `CAST` where types would be guessed; the engine takes the numbers out |
//! | name | `"t"` | `"t"` | `` `t` `` |
//! | table | `"t"` | `"schema"."t"` | `` `t` `` |
//! | `NULL` in an order | smallest | largest, as its indexes have it | smallest |
//! | behind a row in an order | one comparison of rows | the same | spelled out: comparisons of rows use no index |
//! | rows behind several ranges | `UNION ALL` | `UNION ALL` of walks | `OR`, which one walk over an index serves |
//! | `[like]` | `LIKE`, ASCII letters in either case | `ILIKE`, letters in either case | `LIKE` on lower case |
//! | related rows in one value | `paceline_rows(...)`, a function of ours | `ARRAY(SELECT ROW(...))`, sent in binary | JSON arrays of text |
//! | version of a row | a hash of its values | `xmin`, the transaction that wrote it | a hash of its values |
//! | the key of a row written | `RETURNING` | `RETURNING` | MariaDB: `RETURNING` of an `INSERT`; else known or the number made last |
//! | create unless there | `ON CONFLICT` | `ON CONFLICT` | the error, judged |
//! | create or replace | `ON CONFLICT` | `ON CONFLICT` | `ON DUPLICATE KEY UPDATE` that fails where it meets a row, then an `UPDATE` of that |

mod gather;
pub(crate) mod mysql;
mod quote;

pub(crate) use gather::Gathered;
pub use mysql::MySqlFlavor;
pub(crate) use mysql::SINGLE;
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
    /// MySQL or `MariaDB`.
    MySql(MySqlFlavor),
}

impl SqlDialect {
    /// An identifier, quoted.
    pub fn quote(self, identifier: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => quote(identifier),
            Self::MySql(_) => mysql::quote(identifier),
        }
    }

    /// The table's name as it stands after `FROM`.
    pub(crate) fn table(self, table: &Table) -> String {
        match (self, &table.schema) {
            (Self::Postgres, Some(schema)) => {
                format!("{}.{}", quote(schema), quote(&table.name))
            }
            _ => self.quote(&table.name),
        }
    }

    /// The placeholder of the first value, compared with text.
    pub fn first_placeholder(self) -> &'static str {
        match self {
            Self::Sqlite | Self::MySql(_) => "?1",
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
            (Self::MySql(_), target) => mysql::placeholder(number, target),
        }
    }

    /// The same for a value that is stored in a column of type `target`.
    pub(crate) fn stored(self, number: usize, target: Option<&str>) -> String {
        match self {
            Self::Sqlite | Self::Postgres => self.placeholder(number, target),
            Self::MySql(_) => mysql::stored(number, target),
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
            Self::Postgres | Self::MySql(_) => column
                .native
                .as_ref()
                .map(|native| native.type_name.as_str()),
        }
    }

    /// The type of `LIMIT` and `OFFSET`.
    pub(crate) fn integer(self) -> Option<&'static str> {
        match self {
            Self::Sqlite | Self::MySql(_) => None,
            Self::Postgres => Some("int8"),
        }
    }

    /// Whether `NULL` comes after every value in ascending order.
    pub(crate) fn null_is_largest(self) -> bool {
        match self {
            Self::Sqlite | Self::MySql(_) => false,
            Self::Postgres => true,
        }
    }

    /// Whether an index serves a comparison of row values, `(a, b) > (x, y)`.
    pub(crate) fn compares_rows(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::MySql(_) => false,
        }
    }

    /// Whether an `INSERT` can say the key of the row it made.
    pub(crate) fn returns_inserted(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::MySql(flavor) => flavor.returns_inserted(),
        }
    }

    /// Whether `UPDATE` and `DELETE` can say the key of the row they wrote.
    pub(crate) fn returns_changed(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            Self::MySql(_) => false,
        }
    }

    /// What follows a `SELECT` of a row that a write has not met, so that it is the row the write would meet now: where
    /// a transaction goes on to read rows as they were when it first read.
    pub(crate) fn held(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "",
            Self::MySql(_) => mysql::HELD,
        }
    }

    /// Whether one statement creates a row or replaces the one that is there, and touches no other.
    pub(crate) fn replaces_or_creates(self) -> bool {
        match self {
            Self::Sqlite | Self::Postgres => true,
            // What it meets may be a row that has another unique value in common.
            Self::MySql(_) => false,
        }
    }

    /// What follows an `INSERT` that is to do nothing where there is a row with the same `key`. Empty where that
    /// cannot be said: the insert then fails.
    pub(crate) fn unless_there(self, key: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!(" ON CONFLICT ({key}) DO NOTHING"),
            // `IGNORE` ignores other errors too, and an update that changes nothing says nothing.
            Self::MySql(_) => String::new(),
        }
    }

    /// What stands behind the table's name in an `INSERT` of a row that is all defaults.
    pub(crate) fn all_defaults(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => " DEFAULT VALUES",
            Self::MySql(_) => " () VALUES ()",
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
            Self::MySql(_) => mysql::like(column, left, pattern),
        }
    }

    /// What stands in a `SELECT` list for `expression`, answered in this form.
    pub(crate) fn shown(self, shown: Shown, expression: &str) -> String {
        match (self, shown) {
            (Self::Postgres, Shown::AsText) => format!("{expression}::text"),
            (Self::Postgres, Shown::AsJson) => format!("to_json({expression})"),
            (Self::Sqlite | Self::Postgres, _) => expression.to_owned(),
            (Self::MySql(_), shown) => mysql::shown(shown, expression),
        }
    }

    /// The version of a row of `table`, which the statement calls `alias`, as text.
    pub(crate) fn row_version(self, table: &Table, alias: &str) -> String {
        match self {
            Self::Sqlite => row_version_sql(table, alias),
            Self::Postgres => format!("{}.xmin::text", quote(alias)),
            Self::MySql(_) => mysql::row_version(table, alias),
        }
    }
}
