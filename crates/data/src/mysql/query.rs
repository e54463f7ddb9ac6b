//! One statement on one connection.

use mysql_async::prelude::Queryable as _;
use mysql_async::{BinaryProtocol, Conn, Error, QueryResult, Row, TextProtocol, Value as Sent};

use super::bound::Misfit;
use super::connect::{MySqlConnection, StatementMode};
use super::text::Text;
use crate::statement::Statement;

/// Why a statement stopped.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The driver or the server.
    Database(Error),
    /// A value that no column of its type can hold.
    Value(Misfit),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// The rows of a statement, as fast as they are taken.
pub(super) enum Rows<'connection> {
    Prepared(QueryResult<'connection, 'static, BinaryProtocol>),
    Once(QueryResult<'connection, 'static, TextProtocol>),
}

impl Rows<'_> {
    /// The next row. After the last one the connection is free for another statement.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, Error> {
        match self {
            Self::Prepared(rows) => rows.next().await,
            Self::Once(rows) => rows.next().await,
        }
    }
}

/// The server does not know the statement, or its tables have changed: prepared again it will do.
const STALE: [u16; 2] = [1243, 1615];

/// Begins a statement: prepared once on each connection, or with its values in the text.
pub(super) async fn begin<'connection>(
    connection: &'connection mut MySqlConnection,
    statement: &Statement,
) -> Result<Rows<'connection>, Stopped> {
    let text = Text::of(&statement.sql);
    let values = text.values(statement).map_err(Stopped::Value)?;
    match connection.statements() {
        StatementMode::Named => prepared(connection.driver(), &text.prepared(), values).await,
        StatementMode::Unnamed => {
            let sql = text.filled(&values, connection.session().no_backslash_escapes);
            let rows = connection.driver().query_iter(sql).await?;
            Ok(Rows::Once(rows))
        }
    }
}

async fn prepared<'connection>(
    driver: &'connection mut Conn,
    sql: &str,
    values: Vec<Sent>,
) -> Result<Rows<'connection>, Stopped> {
    // The driver keeps it, and closes the one not used for longest.
    let statement = driver.prep(sql).await?;
    // What the result holds stays on the connection.
    let begun = driver.exec_iter(&statement, values.clone()).await.map(drop);
    match begun {
        Err(Error::Server(error)) if STALE.contains(&error.code) => {
            driver.close(statement).await?;
            let statement = driver.prep(sql).await?;
            driver.exec_iter(&statement, values).await.map(drop)?;
        }
        begun => begun?,
    }
    Ok(Rows::Prepared(QueryResult::new(driver)))
}
