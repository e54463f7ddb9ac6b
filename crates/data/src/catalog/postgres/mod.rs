//! Reads a catalog from a PostgreSQL database.
//!
//! Read are the tables, partitioned tables, foreign tables, views and materialised views in the schemas of the
//! role's search path, and of them the columns the role may select. A table whose name an earlier schema of
//! the path has too is left out, as it is in SQL without a schema's name; so are partitions, which are shown
//! through the table they belong to, and Paceline's own tables (`paceline_*`).

mod ask;
mod columns;
mod estimate;
mod indexes;
mod keys;
mod relations;
mod types;

use super::{Catalog, Skipped, Table};
use crate::sql::SqlDialect;
pub(crate) use ask::{Ask, ReadError};
use columns::Columns;
use relations::Relation;

/// Reads the schema, and how large each table is, more or less. Nothing is left on the connection: neither
/// settings nor named statements.
///
/// # Errors
/// What the database answers when it cannot be read.
pub(crate) async fn read<A: Ask>(ask: &A) -> Result<Catalog, ReadError<A::Error>> {
    let listed = relations::list(ask).await?;
    let mut columns = Columns::read(ask).await?;
    let mut keys = keys::read(ask).await?;
    let mut indexes = indexes::read(ask).await?;
    let mut tables: Vec<Table> = Vec::new();
    let mut skipped = Vec::new();
    for relation in listed {
        if let Some(reason) = reason_to_skip(&relation, &tables) {
            skipped.push(Skipped {
                name: relation.name,
                reason,
            });
            continue;
        }
        let read = columns.of(relation.oid);
        let mut table = relation.table(read.columns);
        let place = |number: &i16| read.numbers.iter().position(|own| own == number);
        keys.put(relation.oid, &place, &mut table);
        table.indexes = indexes.of(relation.oid, &place);
        if relation.is_stored() {
            table.approximate_rows = Some(estimate::rows(ask, &relation, &table).await);
        }
        tables.push(table);
    }
    Ok(Catalog::new(SqlDialect::Postgres, tables, skipped))
}

/// Why a relation is not served, if it is not.
fn reason_to_skip(relation: &Relation, earlier: &[Table]) -> Option<String> {
    if relation.name.starts_with("paceline_") {
        return Some("it belongs to Paceline".to_owned());
    }
    let hiding = earlier.iter().find(|table| table.name == relation.name)?;
    let schema = hiding.schema.as_deref().unwrap_or_default();
    Some(format!(
        "{}.{} is hidden by the one in {schema}, which comes first in the search path",
        relation.schema, relation.name
    ))
}
