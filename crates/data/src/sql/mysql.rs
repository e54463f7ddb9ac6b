//! How MySQL and `MariaDB` spell what engines spell differently.
//!
//! Their servers know placeholders without numbers only, and no types of them. Plans number them all the same, and
//! say behind the number how the value is read (`?1`, `?2d`); the engine writes both as its server wants them. So a
//! value may stand in a text twice, and dates are brought into the server's form where they are sent.

use std::fmt::Write as _;

use super::quote::quoted;
use crate::catalog::{Column, ColumnKind, Native, Shown, Table};

/// The name of a column that was a single before it was asked for as a double. No table has it.
pub(crate) const SINGLE: &str = "paceline single";

/// A value that cannot be had: who evaluates it fails with [`FAILED`], and what the statement did is undone.
pub(crate) const FAIL: &str = "(SELECT 1 UNION ALL SELECT 2)";

/// The server's number of that failure: a subquery gives more than one row.
pub(crate) const FAILED: u16 = 1242;

/// Has a row that is read stay as it is until the end of the transaction, and reads it as it is now.
pub(crate) const HELD: &str = " LOCK IN SHARE MODE";

/// Which of the servers that speak MySQL's SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MySqlFlavor {
    /// MySQL 8.0 and later, and what speaks like it.
    MySql,
    /// `MariaDB` 10.5 and later: an `INSERT` gives back what it made.
    MariaDb,
}

impl MySqlFlavor {
    /// Whether `INSERT` may have a `RETURNING`. `UPDATE` has none in either.
    pub(super) fn returns_inserted(self) -> bool {
        self == Self::MariaDb
    }
}

/// An identifier between backticks: what double quotes mean depends on the session.
pub(super) fn quote(identifier: &str) -> String {
    quoted(identifier, '`')
}

/// A placeholder as [`Native::type_name`] wants it compared.
pub(super) fn placeholder(number: usize, target: Option<&str>) -> String {
    let target = target.unwrap_or_default();
    // Labels are compared by their place, as they are sorted.
    if let Some(labels) = target.strip_prefix("enum(") {
        return format!("FIELD(?{number}, {labels}");
    }
    match target {
        "date" => format!("CAST(?{number}d AS DATE)"),
        "time" => format!("CAST(?{number} AS TIME(6))"),
        "datetime" => format!("CAST(?{number}c AS DATETIME(6))"),
        "timestamp" => format!("CAST(?{number}i AS DATETIME(6))"),
        "float" => format!("CAST(?{number} AS FLOAT)"),
        "bigint unsigned" => format!("?{number}u"),
        decimal if decimal.starts_with("decimal(") => format!("CAST(?{number} AS {decimal})"),
        _ => format!("?{number}"),
    }
}

/// A placeholder for a value that is stored: the server judges it by the column.
pub(super) fn stored(number: usize, target: Option<&str>) -> String {
    let mark = match target {
        Some("date") => "d",
        Some("datetime") => "c",
        Some("timestamp") => "i",
        Some("bigint unsigned") => "u",
        _ => "",
    };
    format!("?{number}{mark}")
}

/// `LIKE` on what answers show, whatever the letters' case and the column's collation. The escape character is
/// spelled by its number: within quotes it is one character or two, as the session has it.
pub(super) fn like(column: &Column, left: &str, pattern: &str) -> String {
    let type_name = column.native.as_ref().map(|native| &native.type_name[..]);
    let left = match (column.kind, type_name) {
        (ColumnKind::Date, _) => format!("DATE_FORMAT({left}, '%Y-%m-%d')"),
        (ColumnKind::DateTime, Some("timestamp")) => {
            format!("DATE_FORMAT({left}, '%Y-%m-%dT%H:%i:%sZ')")
        }
        (ColumnKind::DateTime, _) => format!("DATE_FORMAT({left}, '%Y-%m-%dT%H:%i:%s')"),
        _ => left.to_owned(),
    };
    format!(
        "LOWER(CONVERT({left} USING utf8mb4)) COLLATE utf8mb4_bin LIKE LOWER({pattern}) ESCAPE CHAR(92)"
    )
}

/// What stands in a `SELECT` list for `expression`.
pub(super) fn shown(shown: Shown, expression: &str) -> String {
    match shown {
        Shown::AsIs => expression.to_owned(),
        Shown::AsText => format!("CONVERT({expression} USING utf8mb4)"),
        Shown::AsJson => format!("ST_AsGeoJSON({expression})"),
        Shown::AsNumber => format!("{expression} + 0"),
        // As text a single has six digits.
        Shown::AsDouble => format!("{expression} + 0e0 AS {}", quote(SINGLE)),
    }
}

/// What is gathered for `expression`: its text, and in front of it a letter for the type it is read back as, which
/// JSON would lose. `i` a whole number, `r` a double, `s` a single, `d` a decimal, `D` a date, `C` a date and time, `I`
/// the same in UTC, `T` a time, `j` JSON, `b` bytes in hexadecimal, `t` text. `NULL` stays `NULL`.
pub(super) fn gathered_cell(shown: Shown, type_name: Option<&str>, expression: &str) -> String {
    let text = || format!("CONVERT({expression} USING utf8mb4)");
    let type_name = type_name.unwrap_or_default();
    let (letter, value) = match shown {
        Shown::AsText => ('t', text()),
        Shown::AsJson => ('j', format!("ST_AsGeoJSON({expression})")),
        Shown::AsNumber => ('i', format!("{expression} + 0")),
        Shown::AsDouble => ('s', format!("{expression} + 0e0")),
        Shown::AsIs => match type_name {
            "double" => ('r', expression.to_owned()),
            "date" => ('D', expression.to_owned()),
            "datetime" => ('C', expression.to_owned()),
            "timestamp" => ('I', expression.to_owned()),
            "time" => ('T', expression.to_owned()),
            "json" => ('j', text()),
            name if name.starts_with("decimal") => ('d', expression.to_owned()),
            name if name.contains("int") || name == "year" => ('i', expression.to_owned()),
            name if name.contains("blob") || name.contains("binary") => {
                ('b', format!("HEX({expression})"))
            }
            _ => ('t', text()),
        },
    };
    format!("CONCAT('{letter}', {value})")
}

/// The version of a row: 32 hexadecimal digits, 128 bits of SHA-256 over the values of all columns. Long values
/// stand in it by their own hash, so that no comma of theirs can be taken for the one between two values, and no
/// row is too long.
pub(super) fn row_version(table: &Table, alias: &str) -> String {
    let alias = quote(alias);
    let mut values = String::new();
    for column in &table.columns {
        let value = format!("{alias}.{}", quote(&column.name));
        let value = match (&column.native, column.kind) {
            (Some(Native { type_name, .. }), _) if type_name == "float" => {
                format!("{value} + 0e0")
            }
            (Some(native), _) if native.shown == Shown::AsNumber => format!("{value} + 0"),
            // Its labels, if not its values, are ours to know.
            (_, ColumnKind::Enum) => format!("{value} + 0"),
            (
                _,
                ColumnKind::Integer
                | ColumnKind::Real
                | ColumnKind::Boolean
                | ColumnKind::Decimal
                | ColumnKind::Date
                | ColumnKind::DateTime
                | ColumnKind::Time,
            ) => value,
            _ => format!("SHA2({value}, 256)"),
        };
        let _ = write!(values, ", IFNULL(CAST({value} AS BINARY), '-')");
    }
    format!("LEFT(SHA2(CONCAT_WS(','{values}), 256), 32)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqlDialect;

    const MARIADB: SqlDialect = SqlDialect::MySql(MySqlFlavor::MariaDb);

    fn column(name: &str, kind: ColumnKind, type_name: &str, shown: Shown) -> Column {
        Column {
            name: name.to_owned(),
            declared: type_name.to_owned(),
            kind,
            nullable: true,
            has_default: false,
            generated: false,
            key_position: None,
            rowid_alias: false,
            autoincrement: false,
            labels: None,
            native: Some(Native {
                type_name: type_name.to_owned(),
                shown,
                comparable: true,
            }),
        }
    }

    #[test]
    fn names_stand_between_backticks() {
        assert_eq!(MARIADB.quote("odd`na\"me"), "`odd``na\"me`");
    }

    #[test]
    fn values_are_compared_as_the_column_has_them() {
        let check = |type_name: &str, compared: &str, kept: &str| {
            assert_eq!(
                MARIADB.placeholder(3, Some(type_name)),
                compared,
                "{type_name}"
            );
            assert_eq!(MARIADB.stored(3, Some(type_name)), kept, "{type_name}");
        };
        check("varchar", "?3", "?3");
        check("int unsigned", "?3", "?3");
        check("bigint unsigned", "?3u", "?3u");
        check("float", "CAST(?3 AS FLOAT)", "?3");
        check("double", "?3", "?3");
        check("decimal(65,30)", "CAST(?3 AS decimal(65,30))", "?3");
        check("date", "CAST(?3d AS DATE)", "?3d");
        check("datetime", "CAST(?3c AS DATETIME(6))", "?3c");
        check("timestamp", "CAST(?3i AS DATETIME(6))", "?3i");
        check("time", "CAST(?3 AS TIME(6))", "?3");
        check("enum('b','a')", "FIELD(?3, 'b','a')", "?3");
        assert_eq!(MARIADB.placeholder(1, None), "?1");
    }

    #[test]
    fn likeness_is_that_of_what_is_shown() {
        let check = |kind, type_name, left: &str| {
            let column = column("c", kind, type_name, Shown::AsIs);
            let expected = format!(
                "LOWER(CONVERT({left} USING utf8mb4)) COLLATE utf8mb4_bin LIKE LOWER(?1) ESCAPE CHAR(92)"
            );
            assert_eq!(MARIADB.like(&column, "t0.`c`", "?1"), expected);
        };
        check(ColumnKind::Text, "varchar", "t0.`c`");
        check(ColumnKind::Date, "date", "DATE_FORMAT(t0.`c`, '%Y-%m-%d')");
        check(
            ColumnKind::DateTime,
            "timestamp",
            "DATE_FORMAT(t0.`c`, '%Y-%m-%dT%H:%i:%sZ')",
        );
        check(
            ColumnKind::DateTime,
            "datetime",
            "DATE_FORMAT(t0.`c`, '%Y-%m-%dT%H:%i:%s')",
        );
    }

    #[test]
    fn gathered_values_say_what_they_were() {
        let check = |shown, type_name: &str, expected: &str| {
            assert_eq!(gathered_cell(shown, Some(type_name), "x"), expected);
        };
        check(Shown::AsIs, "bigint unsigned", "CONCAT('i', x)");
        check(Shown::AsIs, "decimal(10,2)", "CONCAT('d', x)");
        check(Shown::AsIs, "timestamp", "CONCAT('I', x)");
        check(Shown::AsIs, "longblob", "CONCAT('b', HEX(x))");
        check(
            Shown::AsIs,
            "varchar",
            "CONCAT('t', CONVERT(x USING utf8mb4))",
        );
        check(Shown::AsDouble, "float", "CONCAT('s', x + 0e0)");
        check(Shown::AsNumber, "bit", "CONCAT('i', x + 0)");
    }

    #[test]
    fn a_version_tells_values_from_each_other() {
        let table = Table {
            id: crate::catalog::TableId::from_index(0),
            schema: None,
            name: "t".to_owned(),
            columns: vec![
                column("id", ColumnKind::Integer, "int", Shown::AsIs),
                column("f", ColumnKind::Real, "float", Shown::AsDouble),
                column("b", ColumnKind::Boolean, "bit", Shown::AsNumber),
                column("n", ColumnKind::Text, "varchar", Shown::AsIs),
            ],
            primary_key: vec![0],
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            is_view: false,
            without_rowid: true,
            approximate_rows: None,
        };
        assert_eq!(
            MARIADB.row_version(&table, "t0"),
            "LEFT(SHA2(CONCAT_WS(',', IFNULL(CAST(`t0`.`id` AS BINARY), '-'), \
             IFNULL(CAST(`t0`.`f` + 0e0 AS BINARY), '-'), IFNULL(CAST(`t0`.`b` + 0 AS BINARY), '-'), \
             IFNULL(CAST(SHA2(`t0`.`n`, 256) AS BINARY), '-')), 256), 32)"
        );
    }

    #[test]
    fn only_mariadb_says_what_an_insert_made() {
        assert!(MARIADB.returns_inserted());
        assert!(!SqlDialect::MySql(MySqlFlavor::MySql).returns_inserted());
        assert!(!MARIADB.returns_changed());
        assert_eq!(MARIADB.unless_there("`id`"), "");
        assert_eq!(MARIADB.all_defaults(), " () VALUES ()");
    }
}
