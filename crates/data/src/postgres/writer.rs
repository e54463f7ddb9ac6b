//! Writes on PostgreSQL: a transaction on a lent connection.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio::time::timeout;

use super::connect::PostgresManager;
use super::database::PostgresDatabase;
use super::query;
use super::row::{PostgresRow, Reader};
use super::versions::{Mark, PostgresVersions};
use crate::catalog::TableId;
use crate::cell::Row;
use crate::encode::RowEncoder;
use crate::run::RunError;
use crate::server::Running;
use crate::sql::SqlDialect;
use crate::statement::Statement;
use crate::write::server::{Met, Open, Outcome, Refused, detached, transact, write};
use crate::write::{ReadBack, Work, WriteError, WritePlan};

/// How long a commit or a rollback may take. Neither has anything left to compute.
const END: Duration = Duration::from_secs(5);

impl PostgresDatabase {
    /// Runs a write in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn write<E>(
        &self,
        plan: WritePlan,
        read_back: Option<ReadBack<E>>,
    ) -> Outcome<E>
    where
        E: RowEncoder + Send + 'static,
    {
        let deadline = self.server.deadline();
        let opening = begin(self.marked(deadline).await?);
        detached(write(opening, plan, read_back, deadline)).await
    }

    /// Runs work in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn transact<T: Send + 'static>(&self, work: Work<T>) -> Result<T, WriteError> {
        let opening = begin(self.marked(self.server.deadline()).await?);
        transact(opening, work, self.server.query_timeout()).await
    }

    async fn marked(&self, deadline: Instant) -> Result<OnConnection, RunError> {
        Ok(OnConnection {
            running: self.server.begin(deadline).await?,
            mark: self.versions().map(PostgresVersions::announce),
        })
    }
}

/// A transaction on a connection, which is closed when it is dropped: the server then rolls back.
struct OnConnection {
    running: Running<PostgresManager>,
    /// Where changes are told: by what this process knows that it has heard of its own.
    mark: Option<Mark>,
}

async fn begin(mut open: OnConnection) -> Result<OnConnection, Refused> {
    open.control("BEGIN").await?;
    Ok(open)
}

impl OnConnection {
    /// Ends it; `None` when the server did not answer.
    async fn end(&mut self, how: &str) -> Option<Result<(), tokio_postgres::Error>> {
        let ending = self.running.connection().batch_execute(how);
        timeout(END, ending).await.ok()
    }
}

impl Open for OnConnection {
    fn dialect(&self) -> SqlDialect {
        SqlDialect::Postgres
    }

    async fn each<F>(&mut self, statement: &Statement, mut see: F) -> Result<Met, Refused>
    where
        F: FnMut(&dyn Row, usize) -> Result<(), RunError>,
    {
        let connection = self.running.connection();
        let mut found = std::pin::pin!(query::begin_once(connection, statement).await?);
        let (mut rows, mut readers) = (0, None);
        while let Some(row) = found.try_next().await? {
            let readers = readers.get_or_insert_with(|| Reader::of_columns(row.columns()));
            see(&PostgresRow { row: &row, readers }, readers.len())?;
            rows += 1;
        }
        Ok(Met {
            rows,
            counted: None,
        })
    }

    async fn control(&mut self, sql: &str) -> Result<(), Refused> {
        Ok(self.running.connection().batch_execute(sql).await?)
    }

    /// With the mark of the write where changes are told.
    async fn commit(mut self, wrote: Option<TableId>) -> Result<(), Refused> {
        let told = self.mark.take().zip(wrote);
        let how = match &told {
            Some((mark, _)) => format!("{}; COMMIT", mark.sql()),
            None => "COMMIT".to_owned(),
        };
        match self.end(&how).await {
            Some(Ok(())) => {
                self.running.finish();
                if let Some((mark, table)) = told {
                    mark.settle(table).await;
                }
                Ok(())
            }
            Some(Err(error)) if error.as_db_error().is_some() => Err(error.into()),
            // The answer is lost, and with it whether the write took place.
            Some(Err(error)) => Err(RunError::database(error).into()),
            None => Err(RunError::timeout().into()),
        }
    }

    async fn undo(mut self) {
        if let Some(Ok(())) = self.end("ROLLBACK").await {
            self.running.finish();
        }
    }
}
