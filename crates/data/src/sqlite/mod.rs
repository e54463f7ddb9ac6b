//! SQLite as the database: opening a file, running statements, streaming exports.
//!
//! One connection belongs to one thread at a time. Pages and single rows run on a fixed set of
//! reader threads behind a bounded queue; exports have threads and connections of their own, so a
//! long one does not hold up the pages. A caller that goes away stops its statement, and every
//! statement has a deadline.

mod connect;
mod engine;
mod error;
mod export;
pub(crate) mod gather;
mod guard;
mod options;
mod readers;
mod row;
mod row_version;
mod snapshot;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use error::OpenError;
pub use gather::register as register_functions;
pub use options::{Access, SqliteOptions};
pub use row_version::row_version_sql;

pub(crate) use connect::Connector;
pub(crate) use engine::SqliteEngine;
pub(crate) use error::{classify, not_committed};
pub(crate) use guard::{Guard, Limits};
pub(crate) use row::{SqliteRow, bind};
pub(crate) use snapshot::Snapshot;

use crate::encode::RowEncoder;
use crate::run::{Answer, CancelOnDrop, Counters, Counts, RowStream, RunError};
use crate::statement::Statement;
use export::Exports;
use readers::Readers;

/// An open SQLite file and the threads that read it. Cheap to clone: clones share everything.
#[derive(Debug, Clone)]
pub struct SqliteDatabase {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connector: Connector,
    readers: Readers,
    exports: Exports,
    counters: Arc<Counters>,
}

impl SqliteDatabase {
    /// Opens the file and starts the reader threads.
    ///
    /// With [`Access::ReadOnly`] the file's bytes stay as they are, and nothing is created beside it
    /// unless its owner put it into WAL mode (whose shared memory every reader needs).
    ///
    /// # Errors
    /// [`OpenError`] says which file and what to do: it is missing, a directory, not a database,
    /// locked, or cannot be read.
    pub fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let connector = Connector::new(options)?;
        let counters = Arc::new(Counters::default());
        let readers = Readers::start(&connector, options, &counters)?;
        let exports = Exports::new(connector.clone(), options, Arc::clone(&counters));
        Ok(Self {
            shared: Arc::new(Shared {
                connector,
                readers,
                exports,
                counters,
            }),
        })
    }

    /// Runs one statement and encodes its rows: `begin`, each row, `end`.
    ///
    /// Dropping the future stops the statement.
    ///
    /// # Errors
    /// [`RunError`]: overloaded, out of time, or refused by the database or the encoder.
    pub async fn run<E>(&self, statement: Statement, encoder: E) -> Result<Answer<E>, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        self.submit(move |snapshot| answer(snapshot, &statement, encoder))
            .await
    }

    /// Runs a statement on a thread of its own and hands its rows out in frames of about `frame_size`
    /// bytes, no faster than they are taken.
    ///
    /// Answers when the first frame is there, so that an error met before it can still become an
    /// error status. Dropping the stream stops the statement.
    ///
    /// # Errors
    /// [`RunError`]: as many exports as allowed are running, or the statement failed before the
    /// first frame.
    pub async fn stream<E>(
        &self,
        statement: Statement,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        self.shared
            .exports
            .start(statement, encoder, frame_size)
            .await
    }

    /// How many statements have run and how many rows they gave, since the file was opened.
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Whether a trivial statement on the schema succeeds within the deadline.
    pub async fn is_readable(&self) -> bool {
        let check = |snapshot: &mut Snapshot<'_>| snapshot.is_readable();
        matches!(self.submit(check).await, Ok(true))
    }

    /// Stops taking statements and waits until the threads have finished theirs.
    ///
    /// Exports still running are not waited for: dropping their streams ends them. Blocks the
    /// calling thread for at most the query timeout.
    pub fn close(&self) {
        self.shared.readers.close();
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.shared.connector
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }

    async fn submit<T, F>(&self, work: F) -> Result<T, RunError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Snapshot<'_>) -> Result<T, RunError> + Send + 'static,
    {
        let cancelled = Arc::new(AtomicBool::new(false));
        let _stop_when_dropped = CancelOnDrop(Arc::clone(&cancelled));
        let reply = self.shared.readers.submit(cancelled, work)?;
        reply.await.unwrap_or_else(|_| Err(RunError::stopped()))
    }
}

fn answer<E: RowEncoder>(
    snapshot: &mut Snapshot<'_>,
    statement: &Statement,
    mut encoder: E,
) -> Result<Answer<E>, RunError> {
    let mut bytes = Vec::new();
    let rows = snapshot.run(statement, &mut encoder, &mut bytes)?;
    Ok(Answer {
        encoder,
        bytes,
        rows,
    })
}
