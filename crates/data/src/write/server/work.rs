//! A transaction's work of several statements. The work blocks: it runs on a thread for that, and each of its statements
//! is waited for there.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::row::{encode, values, write_row};
use super::{Fault, Open, Refused};
use crate::catalog::TableId;
use crate::encode::RowEncoder;
use crate::run::RunError;
use crate::sql::SqlDialect;
use crate::statement::{Statement, Value};
use crate::write::{Names, Told, Transaction, Work, WriteError, WritePlan, Written};

/// Runs work in the transaction that `opening` begins. Once it has begun, dropping the future does not stop it. Each
/// statement may take as long as `most`.
pub(crate) async fn transact<O: Open + 'static, T: Send + 'static>(
    opening: impl Future<Output = Result<O, Refused>> + Send + 'static,
    work: Work<T>,
    most: Duration,
) -> Result<T, WriteError> {
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || {
        let late = |_| RunError::timeout();
        let opened = runtime.block_on(async { timeout(most, opening).await });
        let open = opened.map_err(late)?;
        let open = open.map_err(|refused| refused.told(&Names::default()))?;
        let mut transaction = Waiting {
            dialect: open.dialect(),
            open: Some(open),
            runtime,
            most,
            wrote: None,
        };
        let outcome = work(&mut transaction);
        transaction.end(outcome)
    });
    // It panicked: the transaction was undone as it was dropped.
    done.await
        .unwrap_or_else(|_| Err(RunError::stopped().into()))
}

/// A transaction whose statements are waited for on this thread.
struct Waiting<O> {
    /// `None` once it was given up.
    open: Option<O>,
    dialect: SqlDialect,
    runtime: Handle,
    most: Duration,
    /// The table that was written, if one of the catalog was.
    wrote: Option<TableId>,
}

impl<O: Open> Waiting<O> {
    fn end<T>(self, outcome: Result<T, WriteError>) -> Result<T, WriteError> {
        let Some(open) = self.open else {
            return outcome;
        };
        match outcome {
            Ok(done) => match self.runtime.block_on(open.commit(self.wrote)) {
                Ok(()) => Ok(done),
                Err(refused) => Err(refused.told(&Names::default())),
            },
            Err(failure) => {
                self.runtime.block_on(open.undo());
                Err(failure)
            }
        }
    }

    /// Runs what is asked of the transaction, for as long as a query may take.
    fn wait<T>(
        &mut self,
        about: &Told,
        ask: impl AsyncFnOnce(&mut O) -> Result<T, Refused>,
    ) -> Result<T, WriteError> {
        self.wrote = about.table.or(self.wrote);
        let Some(open) = &mut self.open else {
            return Err(RunError::stopped().into());
        };
        let asked = ask(open);
        let most = self.most;
        let outcome = self.runtime.block_on(async { timeout(most, asked).await });
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refused)) if refused.fault() == Some(Fault::NoTable) => Err(WriteError::NoTable),
            Ok(Err(refused)) => {
                let nothing = Names::default();
                Err(refused.told(about.names.as_ref().unwrap_or(&nothing)))
            }
            Err(_) => {
                self.open = None;
                Err(RunError::timeout().into())
            }
        }
    }
}

impl<O: Open> Transaction for Waiting<O> {
    fn dialect(&self) -> SqlDialect {
        self.dialect
    }

    fn write(&mut self, plan: &WritePlan) -> Result<Written, WriteError> {
        let mut plan = plan.clone();
        let about = Told::of(&plan);
        self.wait(&about, async |open| write_row(open, &mut plan).await)
    }

    fn rows(&mut self, statement: &Statement, about: &Told) -> Result<Vec<Vec<Value>>, WriteError> {
        self.wait(about, async |open| {
            let mut rows = Vec::new();
            open.each(statement, |row, columns| {
                rows.push(values(row, columns));
                Ok(())
            })
            .await?;
            Ok(rows)
        })
    }

    fn encode(
        &mut self,
        statement: &Statement,
        encoder: &mut dyn RowEncoder,
    ) -> Result<(Vec<u8>, u64), WriteError> {
        self.wait(&Told::default(), async |open| {
            encode(open, statement, encoder).await
        })
    }

    fn control(&mut self, sql: &str) -> Result<(), WriteError> {
        self.wait(&Told::default(), async |open| open.control(sql).await)
    }
}
