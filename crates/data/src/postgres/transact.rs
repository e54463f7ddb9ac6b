//! A transaction's work on a lent connection. The work blocks: it runs on a thread for that, and each of its
//! statements is waited for there.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;

use super::database::PostgresDatabase;
use super::error::not_lent;
use super::query;
use super::row::{PostgresRow, Reader};
use super::running::Running;
use super::versions::{Mark, PostgresVersions};
use super::writer::{Stopped, commit, end, refused, write_row};
use crate::catalog::TableId;
use crate::cell::Row as _;
use crate::encode::RowEncoder;
use crate::run::RunError;
use crate::sql::SqlDialect;
use crate::statement::{Statement, Value};
use crate::write::{Told, Transaction, Work, WriteError, WritePlan, Written};

impl PostgresDatabase {
    /// Runs work in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn transact<T: Send + 'static>(&self, work: Work<T>) -> Result<T, WriteError> {
        let lent = Instant::now() + self.query_timeout();
        let lease = self.lend(lent).await.map_err(not_lent)?;
        self.counters().statement();
        let mut transaction = OnConnection {
            running: Some(Running::new(lease)),
            runtime: Handle::current(),
            query_timeout: self.query_timeout(),
            mark: self.versions().map(PostgresVersions::announce),
            wrote: None,
        };
        let done = tokio::task::spawn_blocking(move || {
            transaction.control("BEGIN")?;
            let outcome = work(&mut transaction);
            transaction.end(outcome)
        });
        // It panicked: the transaction was rolled back with its connection.
        done.await
            .unwrap_or_else(|_| Err(RunError::stopped().into()))
    }
}

struct OnConnection {
    /// `None` once the connection was given up.
    running: Option<Running>,
    runtime: Handle,
    query_timeout: Duration,
    /// Where changes are told: by what this process knows that it has heard of its own.
    mark: Option<Mark>,
    /// The table that was written, if one of the catalog was.
    wrote: Option<TableId>,
}

impl OnConnection {
    fn end<T>(mut self, outcome: Result<T, WriteError>) -> Result<T, WriteError> {
        let Some(mut running) = self.running.take() else {
            return outcome;
        };
        let mark = self.mark.take().filter(|_| self.wrote.is_some());
        let how = match outcome {
            Ok(_) => commit(mark.as_ref()),
            Err(_) => "ROLLBACK".to_owned(),
        };
        let ended = self.runtime.block_on(end(&mut running, &how));
        match (outcome, ended) {
            (outcome, Some(Ok(()))) => {
                running.finish();
                if let (Ok(_), Some(mark), Some(table)) = (&outcome, mark, self.wrote) {
                    self.runtime.block_on(mark.settle(table));
                }
                outcome
            }
            (Ok(_), Some(Err(error))) if error.as_db_error().is_some() => {
                Err(refused(error, &Told::default()))
            }
            // The answer is lost, and with it whether the work was stored.
            (Ok(_), Some(Err(error))) => Err(RunError::database(error).into()),
            (Ok(_), None) => Err(RunError::timeout().into()),
            (Err(failure), _) => Err(failure),
        }
    }

    /// Runs what a statement asks of the connection, for as long as a query may take.
    fn wait<T>(
        &mut self,
        told: &Told,
        ask: impl AsyncFnOnce(&mut super::connect::PostgresConnection) -> Result<T, Stopped>,
    ) -> Result<T, WriteError> {
        self.wrote = told.table.or(self.wrote);
        let Some(running) = &mut self.running else {
            return Err(RunError::stopped().into());
        };
        let asked = ask(running.connection());
        let outcome = self
            .runtime
            .block_on(async { timeout(self.query_timeout, asked).await });
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Stopped::Write(error))) => Err(error),
            Ok(Err(Stopped::Database(error))) => {
                if error.code() == Some(&SqlState::UNDEFINED_TABLE) {
                    return Err(WriteError::NoTable);
                }
                Err(refused(error, told))
            }
            Err(_) => {
                // The connection is closed, and the server rolls back.
                self.running = None;
                Err(RunError::timeout().into())
            }
        }
    }
}

impl Transaction for OnConnection {
    fn dialect(&self) -> SqlDialect {
        SqlDialect::Postgres
    }

    fn write(&mut self, plan: &WritePlan) -> Result<Written, WriteError> {
        let mut plan = plan.clone();
        self.wait(&Told::of(&plan.clone()), async |connection| {
            write_row(connection, &mut plan).await
        })
    }

    fn rows(&mut self, statement: &Statement, told: &Told) -> Result<Vec<Vec<Value>>, WriteError> {
        self.wait(told, async |connection| {
            let mut found = std::pin::pin!(query::begin_once(connection, statement).await?);
            let (mut rows, mut readers) = (Vec::new(), None);
            while let Some(row) = found.try_next().await? {
                let readers = readers.get_or_insert_with(|| Reader::of_columns(row.columns()));
                let row = PostgresRow { row: &row, readers };
                let values = (0..readers.len()).map(|column| Value::from(row.cell(column)));
                rows.push(values.collect());
            }
            Ok(rows)
        })
    }

    fn encode(
        &mut self,
        statement: &Statement,
        encoder: &mut dyn RowEncoder,
    ) -> Result<(Vec<u8>, u64), WriteError> {
        self.wait(&Told::default(), async |connection| {
            let mut found = std::pin::pin!(query::begin_once(connection, statement).await?);
            let (mut bytes, mut rows, mut readers) = (Vec::new(), 0, None);
            encoder.begin(&mut bytes);
            while let Some(row) = found.try_next().await? {
                let readers = readers.get_or_insert_with(|| Reader::of_columns(row.columns()));
                let row = PostgresRow { row: &row, readers };
                encoder
                    .row(&row, &mut bytes)
                    .map_err(|error| Stopped::Write(RunError::encode(error).into()))?;
                rows += 1;
            }
            encoder.end(&mut bytes);
            Ok((bytes, rows))
        })
    }
}
