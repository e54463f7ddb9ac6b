//! About how many rows a table has, cheaply.

use super::ask::Ask;
use super::relations::Relation;
use crate::catalog::Table;
use crate::plan::LARGE_TABLE;
use crate::sql::SqlDialect;

/// What statistics say; where there are none, counted, but not much further than where a table is large.
pub(super) async fn rows<A: Ask>(ask: &A, relation: &Relation, table: &Table) -> u64 {
    if let Some(estimated) = relation.estimated {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows, and casts of floats saturate"
        )]
        return estimated.round() as u64;
    }
    if !relation.countable {
        return 0;
    }
    let name = SqlDialect::Postgres.table(table);
    let most = LARGE_TABLE + 1;
    let sql = format!("SELECT count(*)::text FROM (SELECT 1 FROM {name} LIMIT {most}) AS few");
    // A materialised view that was never filled, say, is no reason not to serve the others.
    let counted = ask.texts(&sql).await.ok();
    let count = counted.and_then(|texts| texts.first()?.parse().ok());
    count.unwrap_or_default()
}
