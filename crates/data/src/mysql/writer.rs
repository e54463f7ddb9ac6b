//! Writes on MySQL: a transaction on a lent connection.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use tokio::time::timeout;

use super::connect::MySqlManager;
use super::database::MySqlDatabase;
use super::query::{self, Stopped};
use super::row::{MySqlRow, Reader};
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

impl MySqlDatabase {
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
        let opening = begin(self.server.begin(deadline).await?);
        detached(write(opening, plan, read_back, deadline)).await
    }

    /// Runs work in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn transact<T: Send + 'static>(&self, work: Work<T>) -> Result<T, WriteError> {
        let opening = begin(self.server.begin(self.server.deadline()).await?);
        transact(opening, work, self.server.query_timeout()).await
    }
}

/// A transaction on a connection, which is closed when it is dropped: the server then rolls back.
struct OnConnection {
    running: Running<MySqlManager>,
    dialect: SqlDialect,
}

async fn begin(mut running: Running<MySqlManager>) -> Result<OnConnection, Refused> {
    let dialect = SqlDialect::MySql(running.connection().session().flavor);
    let mut open = OnConnection { running, dialect };
    open.control("START TRANSACTION").await?;
    Ok(open)
}

impl OnConnection {
    /// Ends it; `None` when the server did not answer.
    async fn end(&mut self, how: &str) -> Option<Result<(), mysql_async::Error>> {
        let ending = self.running.connection().driver().query_drop(how);
        timeout(END, ending).await.ok()
    }
}

impl Open for OnConnection {
    fn dialect(&self) -> SqlDialect {
        self.dialect
    }

    async fn each<F>(&mut self, statement: &Statement, mut see: F) -> Result<Met, Refused>
    where
        F: FnMut(&dyn Row, usize) -> Result<(), RunError>,
    {
        let connection = self.running.connection();
        let mut rows = query::begin(connection, statement).await?;
        let mut readers = None;
        while let Some(row) = rows.next().await? {
            let readers = readers.get_or_insert_with(|| Reader::of(row.columns_ref()));
            see(&MySqlRow::new(&row, readers), readers.len())?;
        }
        drop(rows);
        let driver = connection.driver();
        Ok(Met {
            rows: driver.affected_rows(),
            counted: driver.last_insert_id(),
        })
    }

    async fn control(&mut self, sql: &str) -> Result<(), Refused> {
        // Not all of these can be prepared.
        Ok(self.running.connection().driver().query_drop(sql).await?)
    }

    async fn commit(mut self, _: Option<TableId>) -> Result<(), Refused> {
        match self.end("COMMIT").await {
            Some(Ok(())) => {
                self.running.finish();
                Ok(())
            }
            Some(Err(error)) if !error.is_fatal() => Err(Stopped::from(error).into()),
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
