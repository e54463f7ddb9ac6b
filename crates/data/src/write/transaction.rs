//! Several statements in one transaction, on whichever engine.

use super::constraint::Names;
use super::error::WriteError;
use super::plan::WritePlan;
use super::session::Written;
use crate::catalog::TableId;
use crate::encode::RowEncoder;
use crate::sql::SqlDialect;
use crate::statement::{Statement, Value};

/// What rules may be named in an error: those of the table a plan writes, or none.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub(crate) names: Option<Names>,
    /// The table that is written.
    pub(crate) table: Option<TableId>,
}

impl Told {
    /// The rules of the table that this plan writes.
    pub fn of(plan: &WritePlan) -> Self {
        Self {
            names: Some(plan.names.clone()),
            table: Some(plan.table),
        }
    }
}

/// An open transaction. It is committed when the work on it answers `Ok`, and undone when it answers an error; an
/// error of a statement therefore ends the work, but for [`attempt`](Self::attempt).
///
/// Its work runs on a thread where it may block, and each statement has the time of a query.
pub trait Transaction {
    /// The SQL the engine speaks.
    fn dialect(&self) -> SqlDialect;

    /// Runs a planned write.
    ///
    /// # Errors
    /// [`WriteError`].
    fn write(&mut self, plan: &WritePlan) -> Result<Written, WriteError>;

    /// Runs a statement and gives its rows.
    ///
    /// # Errors
    /// [`WriteError`]; [`WriteError::NoTable`] where a table is missing.
    fn rows(&mut self, statement: &Statement, told: &Told) -> Result<Vec<Vec<Value>>, WriteError>;

    /// Runs a statement and encodes its rows: their bytes, and how many they are.
    ///
    /// # Errors
    /// [`WriteError`].
    fn encode(
        &mut self,
        statement: &Statement,
        encoder: &mut dyn RowEncoder,
    ) -> Result<(Vec<u8>, u64), WriteError>;

    /// The same as [`rows`](Self::rows), and after an error the transaction is as it was before and goes on.
    ///
    /// # Errors
    /// [`WriteError`].
    fn attempt(
        &mut self,
        statement: &Statement,
        told: &Told,
    ) -> Result<Vec<Vec<Value>>, WriteError> {
        self.control("SAVEPOINT paceline_attempt")?;
        let outcome = self.rows(statement, told);
        if outcome.is_err() {
            self.control("ROLLBACK TO SAVEPOINT paceline_attempt")?;
        }
        self.control("RELEASE SAVEPOINT paceline_attempt")?;
        outcome
    }

    /// Runs a statement without values and rows.
    ///
    /// # Errors
    /// [`WriteError`].
    fn control(&mut self, sql: &str) -> Result<(), WriteError> {
        let statement = Statement {
            sql: sql.into(),
            values: Vec::new(),
        };
        self.rows(&statement, &Told::default()).map(drop)
    }
}

/// What is done in a transaction.
pub(crate) type Work<T> = Box<dyn FnOnce(&mut dyn Transaction) -> Result<T, WriteError> + Send>;
