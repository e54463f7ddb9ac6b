//! Reads a catalog from a SQLite database.
//!
//! Only the `main` schema is read, with the pragma table functions and bound parameters. Left out:
//! SQLite's own tables (`sqlite_*`), ours (`paceline_*`), virtual tables with their shadow tables,
//! and views that no longer compile; [`Catalog::skipped`] names the last two.

use rusqlite::{Connection, params};

use super::column::{Column, ColumnKind};
use super::estimate::approximate_rows;
use super::table::{ForeignKey, Index, IndexColumn, Table, TableId};
use super::{Catalog, Skipped};
use crate::sql::SqlDialect;

const TABLES: &str = "SELECT l.name, l.type, l.wr, coalesce(s.sql, '') \
     FROM pragma_table_list AS l JOIN sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view') \
     WHERE l.schema = 'main' AND l.type <> 'shadow' ORDER BY s.rowid";
const COLUMNS: &str = "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden \
     FROM pragma_table_xinfo(?1) ORDER BY cid";
const FOREIGN_KEYS: &str =
    "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq";
const INDEXES: &str =
    "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1) ORDER BY seq DESC";
const INDEX_COLUMNS: &str =
    "SELECT name, \"desc\" FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno";

/// Reads the schema, and how large each table is, more or less.
///
/// # Errors
/// What the database answers when it cannot be read.
pub fn read(connection: &Connection) -> rusqlite::Result<Catalog> {
    let mut tables = Vec::new();
    let mut skipped = Vec::new();
    for listed in list(connection)? {
        if listed.kind == "virtual" {
            let reason = "virtual tables are not served: put a view over it".to_owned();
            skipped.push(Skipped {
                name: listed.name,
                reason,
            });
            continue;
        }
        match read_table(connection, &listed) {
            Ok(table) => tables.push(table),
            Err(error) if listed.kind == "view" => {
                let reason = format!("the view cannot be read: {error}");
                skipped.push(Skipped {
                    name: listed.name,
                    reason,
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Catalog::new(SqlDialect::Sqlite, tables, skipped))
}

struct Listed {
    name: String,
    kind: String,
    without_rowid: bool,
    sql: String,
}

fn list(connection: &Connection) -> rusqlite::Result<Vec<Listed>> {
    let mut statement = connection.prepare(TABLES)?;
    let rows = statement.query_map([], |row| {
        Ok(Listed {
            name: row.get(0)?,
            kind: row.get(1)?,
            without_rowid: row.get(2)?,
            sql: row.get(3)?,
        })
    })?;
    let mut listed = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    listed.retain(|table| !is_internal(&table.name));
    Ok(listed)
}

/// Whether a table of this name belongs to SQLite or to Paceline, not to the user.
pub fn is_internal(name: &str) -> bool {
    ["sqlite_", "paceline_"].iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

fn read_table(connection: &Connection, listed: &Listed) -> rusqlite::Result<Table> {
    let is_view = listed.kind == "view";
    let (columns, primary_key) = read_columns(connection, listed)?;
    let mut table = Table {
        id: TableId::from_index(0),
        schema: None,
        name: listed.name.clone(),
        columns,
        primary_key,
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        is_view,
        without_rowid: listed.without_rowid,
        approximate_rows: None,
    };
    if is_view {
        return Ok(table);
    }
    table.foreign_keys = read_foreign_keys(connection, &table)?;
    let (indexes, key_has_index) = read_indexes(connection, &table)?;
    table.indexes = indexes;
    mark_rowid_alias(&mut table, &listed.sql, key_has_index);
    table.approximate_rows = Some(approximate_rows(connection, &table)?);
    Ok(table)
}

fn read_columns(
    connection: &Connection,
    listed: &Listed,
) -> rusqlite::Result<(Vec<Column>, Vec<usize>)> {
    let mut statement = connection.prepare(COLUMNS)?;
    let mut rows = statement.query(params![listed.name])?;
    let mut columns = Vec::new();
    let mut key = Vec::new();
    while let Some(row) = rows.next()? {
        // 0: ordinary, 1: hidden column of a virtual table, 2 and 3: generated.
        let hidden: i64 = row.get(5)?;
        if hidden == 1 {
            continue;
        }
        let declared: String = row.get::<_, Option<String>>(1)?.unwrap_or_default();
        let not_null: bool = row.get(2)?;
        let place = usize::from(row.get::<_, u16>(4)?);
        if place > 0 {
            key.push((place, columns.len()));
        }
        columns.push(Column {
            name: row.get(0)?,
            kind: ColumnKind::from_declared(&declared),
            declared,
            nullable: !(not_null || (place > 0 && listed.without_rowid)),
            has_default: row.get(3)?,
            generated: hidden > 1,
            key_position: place.checked_sub(1),
            rowid_alias: false,
            autoincrement: false,
            labels: None,
            native: None,
        });
    }
    key.sort_unstable();
    Ok((columns, key.into_iter().map(|(_, column)| column).collect()))
}

fn read_foreign_keys(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare(FOREIGN_KEYS)?;
    let mut rows = statement.query(params![table.name])?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            keys.push((
                id,
                ForeignKey {
                    columns: Vec::new(),
                    schema: None,
                    table: row.get(1)?,
                    references: Vec::new(),
                },
            ));
        }
        let from: String = row.get(2)?;
        if let (Some((_, key)), Some(column)) = (keys.last_mut(), table.column(&from)) {
            key.columns.push(column);
            key.references.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    Ok(keys
        .into_iter()
        .map(|(_, key)| key)
        .filter(|key| !key.columns.is_empty())
        .collect())
}

/// The indexes, and whether one of them was made for the primary key.
fn read_indexes(connection: &Connection, table: &Table) -> rusqlite::Result<(Vec<Index>, bool)> {
    let mut statement = connection.prepare(INDEXES)?;
    let mut rows = statement.query(params![table.name])?;
    let mut columns = connection.prepare(INDEX_COLUMNS)?;
    let mut indexes = Vec::new();
    let mut for_key = false;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        for_key |= row.get::<_, String>(2)? == "pk";
        let parts = columns.query_map(params![name], |row| {
            let column = row
                .get::<_, Option<String>>(0)?
                .and_then(|name| table.column(&name));
            let descending = row.get(1)?;
            Ok(IndexColumn {
                column,
                descending,
                nulls_last: descending,
            })
        })?;
        let parts = parts.collect::<rusqlite::Result<Vec<_>>>()?;
        indexes.push(Index {
            name,
            unique: row.get(1)?,
            partial: row.get(3)?,
            columns: parts,
        });
    }
    Ok((indexes, for_key))
}

/// Marks the `INTEGER PRIMARY KEY`. SQLite makes no index for a key that is the rowid itself; where
/// it did (`INTEGER PRIMARY KEY DESC`), the column is an ordinary one.
fn mark_rowid_alias(table: &mut Table, sql: &str, key_has_index: bool) {
    let &[only] = table.primary_key.as_slice() else {
        return;
    };
    let column = &mut table.columns[only];
    if table.without_rowid || key_has_index || !column.declared.eq_ignore_ascii_case("INTEGER") {
        return;
    }
    column.rowid_alias = true;
    column.nullable = false;
    column.autoincrement = sql.to_ascii_uppercase().contains("AUTOINCREMENT");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(schema: &str) -> Catalog {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(schema).unwrap();
        read(&connection).unwrap()
    }

    #[test]
    fn reads_keys_references_and_indexes() {
        let catalog = catalog(
            "CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, boss REFERENCES person, twice AS (name || name));
             CREATE TABLE seat(row_no INT, place TEXT, PRIMARY KEY(place, row_no)) WITHOUT ROWID;
             CREATE TABLE ticket(code TEXT PRIMARY KEY, r INT, p TEXT DEFAULT 'x', FOREIGN KEY(p, r) REFERENCES seat(place, row_no));
             CREATE INDEX by_r ON ticket(r DESC, lower(p));
             CREATE UNIQUE INDEX some ON ticket(p) WHERE p IS NOT NULL;
             CREATE VIEW v AS SELECT id, name FROM person;
             CREATE TABLE paceline_x(a); CREATE VIEW broken AS SELECT 1 AS one;",
        );
        let names: Vec<_> = catalog
            .tables()
            .iter()
            .map(|table| table.name.as_str())
            .collect();
        assert_eq!(names, ["person", "seat", "ticket", "v", "broken"]);

        let person = catalog.find("PERSON").unwrap();
        assert!(
            person.columns[0].rowid_alias
                && person.columns[0].autoincrement
                && !person.columns[0].nullable
        );
        assert!(person.columns[3].generated && !person.columns[1].nullable);
        assert_eq!(person.foreign_keys[0].columns, [2]);
        assert!(person.foreign_keys[0].references.is_empty());

        let seat = catalog.find("seat").unwrap();
        assert_eq!(seat.primary_key, [1, 0]);
        assert!(
            seat.key_is_unique()
                && seat.rowid().is_none()
                && seat.is_indexed(1)
                && !seat.is_indexed(0)
        );

        let ticket = catalog.find("ticket").unwrap();
        assert!(
            ticket.columns[0].nullable,
            "SQLite lets NULL into a text key"
        );
        assert!(!ticket.key_is_unique() && ticket.columns[2].has_default);
        assert_eq!(ticket.foreign_keys[0].columns, [2, 1]);
        assert_eq!(ticket.foreign_keys[0].references, ["place", "row_no"]);
        assert!(
            ticket.is_indexed(1) && !ticket.is_indexed(2),
            "a partial index does not count"
        );
        assert!(!ticket.is_unique(&[2]) && ticket.is_unique(&[0]));

        assert!(catalog.find("v").unwrap().is_view);
    }

    #[test]
    fn descending_integer_key_is_not_the_rowid() {
        let catalog = catalog("CREATE TABLE odd(id INTEGER PRIMARY KEY DESC, rowid TEXT)");
        let odd = &catalog.tables()[0];
        assert!(!odd.columns[0].rowid_alias);
        assert_eq!(odd.rowid().unwrap().name(), "_rowid_");
    }

    #[test]
    fn broken_views_and_virtual_tables_are_named() {
        let catalog = catalog(
            "CREATE TABLE a(x); CREATE VIEW b AS SELECT x FROM a; CREATE VIRTUAL TABLE f USING fts5(x); DROP TABLE a;",
        );
        let names: Vec<_> = catalog
            .skipped()
            .iter()
            .map(|skipped| skipped.name.as_str())
            .collect();
        assert_eq!(names, ["b", "f"]);
        assert!(catalog.tables().is_empty());
    }

    #[test]
    fn strange_names_are_only_values() {
        let catalog = catalog("CREATE TABLE \"a\"\"b'; DROP\"(\"x]y\" INT)");
        assert_eq!(catalog.tables()[0].name, "a\"b'; DROP");
        assert_eq!(catalog.tables()[0].columns[0].name, "x]y");
    }
}
