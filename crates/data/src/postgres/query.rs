//! One statement on one connection.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, RowStream};

use super::connect::{PostgresConnection, StatementMode};
use super::parameter::Parameter;
use crate::statement::Statement;

/// Begins a statement without a name: for what runs in a transaction, which a stale name would end.
pub(super) async fn begin_once(
    connection: &mut PostgresConnection,
    statement: &Statement,
) -> Result<RowStream, Error> {
    let values = statement.values.iter();
    let typed = values.map(|value| (Parameter(value), Type::TEXT));
    connection.query_typed_raw(&statement.sql, typed).await
}

/// Begins a statement. Its rows come in binary, as fast as they are taken.
pub(super) async fn begin(
    connection: &mut PostgresConnection,
    statement: &Statement,
) -> Result<RowStream, Error> {
    match connection.statements() {
        StatementMode::Unnamed => begin_once(connection, statement).await,
        StatementMode::Named => match begin_named(connection, statement).await {
            Err(error) if is_stale(&error) => {
                connection.parts().1.forget(&statement.sql);
                begin_named(connection, statement).await
            }
            outcome => outcome,
        },
    }
}

async fn begin_named(
    connection: &mut PostgresConnection,
    statement: &Statement,
) -> Result<RowStream, Error> {
    let (client, prepared) = connection.parts();
    let values = &statement.values;
    let known = prepared.get(client, &statement.sql, values.len()).await?;
    client.query_raw(&known, values.iter().map(Parameter)).await
}

/// Whether the server has forgotten the statement, or its table has changed: prepared again it will do. Nothing
/// has run then.
fn is_stale(error: &Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::INVALID_SQL_STATEMENT_NAME
            || (*error.code() == SqlState::FEATURE_NOT_SUPPORTED
                && error.message().contains("cached plan"))
    })
}
