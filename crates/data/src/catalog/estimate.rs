//! About how many rows a table has, cheaply.

use rusqlite::{Connection, OptionalExtension, params};

use super::table::Table;
use crate::plan::{LARGE_TABLE, quote};

/// Smaller tables are counted: a few pages to read.
const COUNTED: u64 = 1_000;
/// Where nothing else is known, counting goes on to here: beyond it the exact figure no longer matters.
const COUNTED_AT_MOST: u64 = LARGE_TABLE + 1;
/// No row takes fewer bytes of the file than this.
const SMALLEST_ROW: u64 = 6;

/// An estimate of the number of rows; exact below 1,000.
///
/// A start must not wait for large tables to be read, so beyond that the answer comes from `ANALYZE`
/// where it has been run, else from the span of the rowids. Only a span that leaves open whether the table
/// is large is followed by counting.
pub(super) fn approximate_rows(connection: &Connection, table: &Table) -> rusqlite::Result<u64> {
    let few = count_up_to(connection, table, COUNTED)?;
    if few < COUNTED {
        return Ok(few);
    }
    if let Some(rows) = analyzed_rows(connection, &table.name)? {
        return Ok(rows.max(few));
    }
    let span = rowid_span(connection, table)?;
    if let Some(span) = span.filter(|span| *span <= LARGE_TABLE) {
        return Ok(span);
    }
    let counted = count_up_to(connection, table, COUNTED_AT_MOST)?;
    match span {
        Some(span) if counted == COUNTED_AT_MOST => {
            let pages = count(connection, "SELECT page_count FROM pragma_page_count")?;
            let page = count(connection, "SELECT page_size FROM pragma_page_size")?;
            let most = pages.saturating_mul(page) / SMALLEST_ROW;
            Ok(span.min(most).max(counted))
        }
        _ => Ok(counted),
    }
}

/// How many rows there are, if not more than `most`; else `most`.
fn count_up_to(connection: &Connection, table: &Table, most: u64) -> rusqlite::Result<u64> {
    let name = quote(&table.name);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {most})");
    count(connection, &sql)
}

/// From the first rowid to the last: at least as many as there are rows.
fn rowid_span(connection: &Connection, table: &Table) -> rusqlite::Result<Option<u64>> {
    let Some(rowid) = table.rowid() else {
        return Ok(None);
    };
    let (name, rowid) = (quote(&table.name), rowid.name());
    let sql =
        format!("SELECT (SELECT max({rowid}) FROM {name}), (SELECT min({rowid}) FROM {name})");
    let (last, first): (i64, i64) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(last.abs_diff(first).saturating_add(1)))
}

/// The answer of a statement whose one value is never negative.
fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}

/// The first number `ANALYZE` wrote for the table.
fn analyzed_rows(connection: &Connection, table: &str) -> rusqlite::Result<Option<u64>> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if connection
        .query_row(exists, [], |_| Ok(()))
        .optional()?
        .is_none()
    {
        return Ok(None);
    }
    let sql = "SELECT stat FROM sqlite_stat1 WHERE tbl = ?1 AND stat IS NOT NULL LIMIT 1";
    let stat: Option<String> = connection
        .query_row(sql, params![table], |row| row.get(0))
        .optional()?;
    Ok(stat.and_then(|stat| stat.split(' ').next()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use crate::catalog::sqlite::read;

    #[test]
    fn small_tables_are_counted_and_large_ones_estimated() {
        let check = |rows: &str, analyze: &str, low: u64, high: u64| {
            let connection = Connection::open_in_memory().unwrap();
            let fill = format!(
                "CREATE TABLE t(id INTEGER PRIMARY KEY);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 110000) INSERT INTO t {rows}; {analyze}"
            );
            connection.execute_batch(&fill).unwrap();
            let estimate = read(&connection).unwrap().tables()[0]
                .approximate_rows
                .unwrap();
            assert!((low..=high).contains(&estimate), "{rows}: {estimate}");
        };
        check("SELECT i * 1000000 FROM n LIMIT 50", "", 50, 50);
        check("SELECT i * 7 FROM n LIMIT 2000", "", 2_000, 14_000);
        check("SELECT i * 1000 FROM n LIMIT 2000", "", 2_000, 2_000);
        check("SELECT i FROM n", "", 109_999, 110_000);
        check("SELECT i * 1000000 FROM n", "ANALYZE;", 110_000, 110_000);
        check("SELECT i * 1000000 FROM n", "", 100_001, 1_000_000);
    }
}
