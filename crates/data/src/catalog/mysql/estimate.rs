//! About how many rows a table has, cheaply.

use super::{Source, number};
use crate::catalog::Table;
use crate::sql::{MySqlFlavor, SqlDialect};

/// Smaller tables are counted: a few pages to read.
const COUNTED: u64 = 1_000;

/// What the engine's statistics say; exact below 1,000, where they are often behind.
pub(super) async fn rows<S: Source>(
    conn: &mut S,
    estimated: Option<u64>,
    table: &Table,
    flavor: MySqlFlavor,
) -> Result<u64, S::Error> {
    if let Some(estimated) = estimated.filter(|rows| *rows >= COUNTED) {
        return Ok(estimated);
    }
    let name = SqlDialect::MySql(flavor).table(table);
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {COUNTED}) AS few");
    let counted = match conn.rows(&sql).await {
        Ok(rows) => rows.first().and_then(|row| number(row, 0)),
        // A table that is broken, say, is no reason not to serve the others.
        Err(error) if S::is_refusal(&error) => None,
        Err(error) => return Err(error),
    };
    Ok(counted.or(estimated).unwrap_or_default())
}
