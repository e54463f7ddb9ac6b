//! One statement of a transaction, by the driver.

use tokio_postgres::types::Type;
use tokio_postgres::{Error, RowStream};

use super::connect::PostgresConnection;
use super::parameter::Parameter;
use crate::statement::Statement;

/// Begins a statement without a name: a stale one would end the transaction. Its rows come in binary, as fast as they
/// are taken.
pub(super) async fn begin_once(
    connection: &mut PostgresConnection,
    statement: &Statement,
) -> Result<RowStream, Error> {
    let values = statement.values.iter();
    let typed = values.map(|value| (Parameter(value), Type::TEXT));
    connection.query_typed_raw(&statement.sql, typed).await
}
