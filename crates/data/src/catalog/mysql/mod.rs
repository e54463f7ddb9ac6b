//! Reads a catalog from a MySQL or `MariaDB` database.
//!
//! Read are the tables and views of the database that the address names, and of them the columns the role may select.
//! Left out are sequences, columns that the schema hides (`INVISIBLE`), views that no longer work, and Paceline's own
//! tables (`paceline_*`).

mod columns;
mod estimate;
mod indexes;
mod relations;
mod types;

use std::future::Future;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};

use super::{Catalog, Skipped, Table, TableId};
use crate::sql::{MySqlFlavor, SqlDialect};
use columns::Columns;
use relations::Relations;

const TABLES: &str = "SELECT TABLE_NAME, TABLE_TYPE, TABLE_ROWS FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') \
    ORDER BY TABLE_NAME";

/// A row of an answer, as text; nothing for `NULL`.
pub(crate) type Told = Vec<Option<String>>;

/// Whoever can be asked about the schema.
pub(crate) trait Source {
    /// Why there is no answer.
    type Error;

    /// All rows of a statement.
    fn rows(&mut self, sql: &str) -> impl Future<Output = Result<Vec<Told>, Self::Error>> + Send;

    /// Whether it was the statement that was refused, so that others can still be asked.
    fn is_refusal(error: &Self::Error) -> bool;
}

impl Source for Conn {
    type Error = mysql_async::Error;

    async fn rows(&mut self, sql: &str) -> Result<Vec<Told>, mysql_async::Error> {
        let rows: Vec<Row> = self.query(sql).await?;
        let told = |row: &Row| (0..row.len()).map(|index| cell(row, index)).collect();
        Ok(rows.iter().map(told).collect())
    }

    fn is_refusal(error: &mysql_async::Error) -> bool {
        !error.is_fatal()
    }
}

fn cell(row: &Row, index: usize) -> Option<String> {
    match row.as_ref(index)? {
        mysql_async::Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// Reads the schema, and how large each table is, more or less.
///
/// # Errors
/// What the database answers when it cannot be read.
pub(crate) async fn read<S: Source>(
    conn: &mut S,
    flavor: MySqlFlavor,
) -> Result<Catalog, S::Error> {
    let listed = conn.rows(TABLES).await?;
    let mut relations = Relations::read(conn, flavor).await?;
    let mut columns = Columns::read(conn, &relations).await?;
    let mut indexes = indexes::read(conn).await?;
    let (mut tables, mut skipped) = (Vec::new(), Vec::new());
    for row in listed {
        let (name, kind, estimated) = (text(&row, 0), text(&row, 1), number(&row, 2));
        let columns = columns.of(&name);
        if let Some(reason) = reason_to_skip(&name, columns.is_empty()) {
            skipped.push(Skipped { name, reason });
            continue;
        }
        let is_view = kind == "VIEW";
        let mut table = Table {
            id: TableId::from_index(0),
            schema: None,
            columns,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            is_view,
            without_rowid: true,
            approximate_rows: None,
            name,
        };
        indexes.put(&mut table);
        relations.put(&mut table);
        if !is_view {
            table.approximate_rows = Some(estimate::rows(conn, estimated, &table, flavor).await?);
        }
        tables.push(table);
    }
    Ok(Catalog::new(SqlDialect::MySql(flavor), tables, skipped))
}

/// Why a table is not served, if it is not.
fn reason_to_skip(name: &str, is_empty: bool) -> Option<String> {
    if name.starts_with("paceline_") {
        Some("it belongs to Paceline".to_owned())
    } else if is_empty {
        Some("none of its columns can be selected".to_owned())
    } else {
        None
    }
}

/// A column of the answer as text; nothing for `NULL`.
fn text(row: &Told, index: usize) -> String {
    optional(row, index).unwrap_or_default()
}

fn optional(row: &Told, index: usize) -> Option<String> {
    row.get(index)?.clone()
}

fn number(row: &Told, index: usize) -> Option<u64> {
    optional(row, index)?.parse().ok()
}
