//! Adding jobs in a transaction of the application: they are there if it commits.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::SqliteEngine;
use super::ops;
use super::tx::Tx;
use super::writer::is_busy_error;
use crate::engine::checks::check_jobs;
use crate::engine::{Added, NewJob};
use crate::error::{AddError, EngineError};
use crate::names::QueueName;

impl SqliteEngine {
    /// Adds jobs, all or none, in a transaction on the engine's own file: the application's database, opened with
    /// [`SqliteOptions::shared`](super::SqliteOptions::shared). The commit makes the jobs visible, and wakes idle
    /// workers within about 5 ms; a rollback leaves nothing. No [`JobEventKind::Added`](crate::JobEventKind::Added)
    /// is told: the engine does not know when, or whether, the application commits.
    ///
    /// Begin the transaction with `BEGIN IMMEDIATE`
    /// ([`TransactionBehavior::Immediate`](rusqlite::TransactionBehavior::Immediate)). A deferred one that only
    /// read so far begins to write here, and SQLite refuses that at once ([`EngineError::Busy`]), whatever its
    /// timeout, when somebody wrote since it read. While the transaction is open no job can be stored by anybody
    /// else: keep it short.
    ///
    /// # Errors
    /// [`AddError`]; the transaction then has nothing of these jobs and can go on, unless SQLite rolled it back as
    /// a whole, the application's writes with it: it may do so on a full disk or an I/O error
    /// ([`EngineError::Storage`]), and `is_autocommit` of the connection is then `true`.
    /// [`AddError::OtherDatabase`] when it is not on the engine's file.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as the other adds of an engine"
    )]
    pub fn add_in(
        &self,
        transaction: &Transaction<'_>,
        queue: &QueueName,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Added>, AddError> {
        self.add_within(transaction, queue, &jobs, None)
    }

    pub(crate) fn add_within(
        &self,
        connection: &Connection,
        queue: &QueueName,
        jobs: &[NewJob],
        max_not_started: Option<u64>,
    ) -> Result<Vec<Added>, AddError> {
        let own = &self.shared.path;
        if !connection
            .path()
            .is_some_and(|path| is_same_file(Path::new(path), own))
        {
            return Err(AddError::OtherDatabase { path: own.clone() });
        }
        check_jobs(jobs, &self.shared.limits)?;
        let mut tx = Tx::new(connection, &self.shared);
        let added = tx.isolate(|tx| {
            let added = ops::add::add(tx, queue, jobs, max_not_started)?;
            // Inside, so that a failure undoes it all.
            tx.store_queues()?;
            Ok(added)
        });
        added
            .map_err(AddError::from)
            .flatten()
            .map_err(name_the_lock)
    }
}

/// The lock of another writer, which no wait inside a transaction could outlast.
fn name_the_lock(error: AddError) -> AddError {
    match error {
        AddError::Engine(error) if is_busy_error(&error) => {
            AddError::Engine(EngineError::Busy(std::time::Duration::ZERO))
        }
        other => other,
    }
}

/// Links and relative paths may name the same file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
