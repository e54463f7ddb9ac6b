//! How the statements of this module are run: over whatever leads to the database.

use serde::de::DeserializeOwned;
use tokio_postgres::Client;

/// Runs statements without values that give one column of text.
pub(crate) trait Ask {
    /// Why one gave nothing.
    type Error;

    /// The texts, a row each.
    fn texts(&self, sql: &str) -> impl Future<Output = Result<Vec<String>, Self::Error>> + Send;
}

impl Ask for Client {
    type Error = tokio_postgres::Error;

    async fn texts(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let rows = self.query_typed(sql, &[]).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }
}

/// The schema cannot be read.
#[derive(Debug)]
pub(crate) enum ReadError<E> {
    /// The database gave nothing.
    Database(E),
    /// What it gave has not the form that was asked for.
    Form(serde_json::Error),
}

/// The rows of a statement whose one column is a JSON list: the same from every way that leads to the database.
pub(super) async fn rows<T: DeserializeOwned, A: Ask>(
    ask: &A,
    sql: &str,
) -> Result<Vec<T>, ReadError<A::Error>> {
    let texts = ask.texts(sql).await.map_err(ReadError::Database)?;
    let rows = texts.iter().map(|text| serde_json::from_str(text));
    rows.collect::<Result<_, _>>().map_err(ReadError::Form)
}
