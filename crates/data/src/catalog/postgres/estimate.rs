//! About how many rows a table has, cheaply.

use tokio_postgres::Client;

use super::relations::Relation;
use crate::catalog::Table;
use crate::plan::LARGE_TABLE;
use crate::sql::SqlDialect;

/// What statistics say; where there are none, counted, but not much further than where a table is large.
pub(super) async fn rows(
    client: &Client,
    relation: &Relation,
    table: &Table,
) -> Result<u64, tokio_postgres::Error> {
    if let Some(estimated) = relation.estimated {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows, and casts of floats saturate"
        )]
        return Ok(estimated.round() as u64);
    }
    if !relation.countable {
        return Ok(0);
    }
    let name = SqlDialect::Postgres.table(table);
    let most = LARGE_TABLE + 1;
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {most}) AS few");
    // A materialised view that was never filled, say, is no reason not to serve the others.
    let counted = client.query_typed(&sql, &[]).await;
    let count = counted
        .ok()
        .and_then(|rows| rows.first()?.try_get::<_, i64>(0).ok());
    Ok(count.map_or(0, i64::unsigned_abs))
}
