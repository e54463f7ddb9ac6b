//! Transactions that are sent whole.

use std::time::Instant;

use crate::neon::NeonDatabase;
use crate::total::Totals;
use crate::write::{Change, Changes, RowRefused, WriteError, Writes};

/// Creates rows where none of a transaction's statements can be chosen by the answer to another.
#[derive(Debug, Clone, Copy)]
pub struct WholeTransactions<'a> {
    pub(super) database: &'a NeonDatabase,
    pub(super) totals: &'a Totals,
}

impl WholeTransactions<'_> {
    /// Creates rows in order, all in one transaction, as [`Writes::create_all`] does elsewhere. All of them are held in
    /// memory and sent as one request. Once it has begun, dropping the future does not stop it; waiting ends at
    /// `deadline`; without one they have the time of a query.
    ///
    /// # Errors
    /// [`RowRefused`]: the first row that breaks a rule, found by trying and undoing halves; nothing is stored then.
    pub async fn create_all(
        self,
        writes: Writes<'_>,
        rows: Vec<Changes>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Change>, RowRefused> {
        if !self.database.is_writable() {
            return Err(WriteError::ReadOnly.into());
        }
        let made = self.database.create_all(writes, rows, deadline).await;
        // Whoever wrote must not be told an older count.
        self.totals.forget_unversioned();
        made
    }
}
