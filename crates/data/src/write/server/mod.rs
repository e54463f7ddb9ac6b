//! Writes on a server: statement after statement in a transaction of their own, whichever way statements go there.
//!
//! [`Open`] is the seam to a driver. What a write does in its transaction (`row`), how one is answered (`one`), and how
//! work of several statements is waited for (`work`) stand once, above it.

mod one;
mod refused;
mod row;
mod work;

use crate::catalog::TableId;
use crate::cell::Row;
use crate::run::RunError;
use crate::sql::SqlDialect;
use crate::statement::Statement;

pub(crate) use one::{Outcome, detached, write};
pub(crate) use refused::{Fault, Refusal, Refused};
pub(crate) use work::transact;

/// An open transaction. Dropped, it is undone, by whichever means its way to the server has.
pub(crate) trait Open: Sized {
    /// The SQL the server speaks.
    fn dialect(&self) -> SqlDialect;

    /// Runs a statement to its end, and shows each row with the number of its columns.
    ///
    /// # Errors
    /// [`Refused`]: the statement's error, or what `see` answers.
    async fn each<F>(&mut self, statement: &Statement, see: F) -> Result<Met, Refused>
    where
        F: FnMut(&dyn Row, usize) -> Result<(), RunError>;

    /// Runs a statement without values and rows.
    ///
    /// # Errors
    /// [`Refused`].
    async fn control(&mut self, sql: &str) -> Result<(), Refused>;

    /// Makes it last. `wrote` is the table that was written, if one of the catalog was.
    ///
    /// # Errors
    /// [`Refused`]; where the answer is lost, whether it took place is not known.
    async fn commit(self, wrote: Option<TableId>) -> Result<(), Refused>;

    /// Undoes it.
    async fn undo(self);
}

/// What a statement has met, as far as its way to the server tells.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Met {
    /// Rows given, changed, or found as they were to become.
    pub(crate) rows: u64,
    /// The number that a column which counts by itself got.
    pub(crate) counted: Option<u64>,
}
