//! A transaction's work on a lent connection. The work blocks: it runs on a thread for that, and each of its
//! statements is waited for there.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::connect::MySqlConnection;
use super::database::{MySqlDatabase, Unanswered, encode};
use super::error::not_lent;
use super::query::{self, Stopped};
use super::row::{MySqlRow, Reader};
use super::running::Running;
use super::writer::{BEGIN, Refused, end, told, write_row};
use crate::cell::Row as _;
use crate::encode::RowEncoder;
use crate::run::RunError;
use crate::sql::SqlDialect;
use crate::statement::{Statement, Value};
use crate::write::{Names, Told, Transaction, Work, WriteError, WritePlan, Written};

/// There is no such table.
const NO_TABLE: u16 = 1146;

impl MySqlDatabase {
    /// Runs work in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn transact<T: Send + 'static>(&self, work: Work<T>) -> Result<T, WriteError> {
        let lent = Instant::now() + self.query_timeout();
        let lease = self.lend(lent).await.map_err(not_lent)?;
        self.counters().statement();
        let mut running = Running::new(lease);
        let dialect = SqlDialect::MySql(running.connection().session().flavor);
        let mut transaction = OnConnection {
            running: Some(running),
            dialect,
            runtime: Handle::current(),
            query_timeout: self.query_timeout(),
        };
        let done = tokio::task::spawn_blocking(move || {
            transaction.control(BEGIN)?;
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
    dialect: SqlDialect,
    runtime: Handle,
    query_timeout: Duration,
}

impl OnConnection {
    fn end<T>(mut self, outcome: Result<T, WriteError>) -> Result<T, WriteError> {
        let Some(mut running) = self.running.take() else {
            return outcome;
        };
        let how = if outcome.is_ok() {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        let ended = self.runtime.block_on(end(&mut running, how));
        match (outcome, ended) {
            (outcome, Some(Ok(()))) => {
                running.finish();
                outcome
            }
            (Ok(_), Some(Err(error))) if !error.is_fatal() => {
                Err(told(error.into(), &Names::default()))
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
        about: &Told,
        ask: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, Refused>,
    ) -> Result<T, WriteError> {
        let Some(running) = &mut self.running else {
            return Err(RunError::stopped().into());
        };
        let asked = ask(running.connection());
        let outcome = self
            .runtime
            .block_on(async { timeout(self.query_timeout, asked).await });
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Refused::Write(error))) => Err(error),
            Ok(Err(Refused::Statement(stopped))) if is_without_table(&stopped) => {
                Err(WriteError::NoTable)
            }
            Ok(Err(Refused::Statement(stopped))) => {
                let nothing = Names::default();
                Err(told(stopped, about.names.as_ref().unwrap_or(&nothing)))
            }
            Err(_) => {
                // The connection is closed, and the server rolls back.
                self.running = None;
                Err(RunError::timeout().into())
            }
        }
    }
}

fn is_without_table(stopped: &Stopped) -> bool {
    matches!(stopped, Stopped::Database(mysql_async::Error::Server(error)) if error.code == NO_TABLE)
}

impl Transaction for OnConnection {
    fn dialect(&self) -> SqlDialect {
        self.dialect
    }

    fn write(&mut self, plan: &WritePlan) -> Result<Written, WriteError> {
        let mut plan = plan.clone();
        let about = Told::of(&plan);
        self.wait(&about, async |connection| {
            write_row(connection, &mut plan).await
        })
    }

    fn rows(&mut self, statement: &Statement, about: &Told) -> Result<Vec<Vec<Value>>, WriteError> {
        self.wait(about, async |connection| {
            let mut found = query::begin(connection, statement).await?;
            let (mut rows, mut readers) = (Vec::new(), None);
            while let Some(row) = found.next().await? {
                let readers = readers.get_or_insert_with(|| Reader::of(row.columns_ref()));
                let row = MySqlRow::new(&row, readers);
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
            let outcome = encode(connection, statement, encoder).await;
            outcome.map_err(|unanswered| match unanswered {
                Unanswered::Statement(stopped) => Refused::Statement(stopped),
                Unanswered::Encoder(error) => Refused::Write(error.into()),
            })
        })
    }

    fn control(&mut self, sql: &str) -> Result<(), WriteError> {
        // Not all of these can be prepared.
        self.wait(&Told::default(), async |connection| {
            Ok(connection.driver().query_drop(sql).await?)
        })
    }
}
