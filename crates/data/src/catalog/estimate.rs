//! About how many rows a table has, cheaply.

use rusqlite::{Connection, OptionalExtension, params};

use super::table::Table;
use crate::plan::quote;

/// From this many rows on, the exact figure no longer matters.
const COUNTED_UP_TO: u64 = 100_001;
/// No row takes fewer bytes of the file than this.
const SMALLEST_ROW: u64 = 6;

/// An estimate of the number of rows, exact up to 100,000.
///
/// Counting stops after that many; beyond it the answer comes from `ANALYZE` where it has been run,
/// else from the span of the rowids, bounded by what the file can hold.
pub(super) fn approximate_rows(connection: &Connection, table: &Table) -> rusqlite::Result<u64> {
    let name = quote(&table.name);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {COUNTED_UP_TO})");
    let counted = count(connection, &sql)?;
    if counted < COUNTED_UP_TO {
        return Ok(counted);
    }
    if let Some(rows) = analyzed_rows(connection, &table.name)? {
        return Ok(rows.max(counted));
    }
    let Some(rowid) = table.rowid() else {
        return Ok(counted);
    };
    let rowid = rowid.name();
    let sql =
        format!("SELECT (SELECT max({rowid}) FROM {name}), (SELECT min({rowid}) FROM {name})");
    let (last, first): (i64, i64) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let pages = count(connection, "SELECT page_count FROM pragma_page_count")?;
    let page = count(connection, "SELECT page_size FROM pragma_page_size")?;
    let most = pages.saturating_mul(page) / SMALLEST_ROW;
    Ok(last
        .abs_diff(first)
        .saturating_add(1)
        .min(most)
        .max(counted))
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
        check("SELECT i FROM n", "", 109_999, 110_000);
        check("SELECT i * 1000000 FROM n", "ANALYZE;", 110_000, 110_000);
        check("SELECT i * 1000000 FROM n", "", 100_001, 1_000_000);
    }
}
