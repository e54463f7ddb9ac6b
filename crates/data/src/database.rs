//! One database, open: its catalog, its threads, its versions and its remembered counts together.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use crate::catalog::{Catalog, TableId, sqlite::read};
use crate::encode::RowEncoder;
use crate::sqlite::{
    Access, Answer, Counts, OpenError, RowStream, RunError, Snapshot, SqliteDatabase, SqliteOptions,
};
use crate::statement::{Statement, Value};
use crate::total::{Freshness, Totals};
use crate::version::{ReadTicket, Stamp, Versions};
use crate::write::{IdleWriter, WriteError, WritePlan, Writer, Written};

/// Counts remembered at a time.
const TOTALS: NonZeroUsize = NonZeroUsize::new(1024).expect("a literal above zero");

/// An open database. Cheap to clone: clones share everything.
///
/// ```
/// use paceline_data::Database;
/// use paceline_data::sqlite::SqliteOptions;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.db");
/// # rusqlite::Connection::open(&path)?.execute_batch("CREATE TABLE posts(id INTEGER PRIMARY KEY)")?;
/// let database = Database::open(&SqliteOptions::new(&path))?;
/// let posts = database.catalog().find("posts").expect("the schema has it").id;
/// assert_eq!(database.stamp(&[posts]), database.stamp(&[posts]), "nothing was written in between");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Database {
    engine: SqliteDatabase,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    catalog: Arc<Catalog>,
    versions: Arc<Versions>,
    totals: Totals,
    writer: Option<Writer>,
}

impl Database {
    /// Opens the file, reads its schema, and starts its threads. Blocks the calling thread for as long as that
    /// takes.
    ///
    /// # Errors
    /// [`OpenError`] says which file and what to do.
    pub fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let engine = SqliteDatabase::open(options)?;
        let connector = engine.connector();
        let failed = |error| connector.error(error);
        let catalog = Arc::new(read(&connector.reader()?).map_err(failed)?);
        let writer = match connector.access() {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(IdleWriter::open(
                connector,
                options,
                &catalog,
                Arc::clone(engine.counters()),
            )?),
        };
        let versions = Arc::new(Versions::new(connector.watcher()?, &catalog).map_err(failed)?);
        let writer = writer
            .map(|writer| writer.start(Arc::clone(&versions), connector))
            .transpose()?;
        let totals = Totals::new(TOTALS);
        let shared = Arc::new(Shared {
            catalog,
            versions,
            totals,
            writer,
        });
        Ok(Self { engine, shared })
    }

    /// The tables and views, as they were when the database was opened.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.shared.catalog
    }

    /// The stamp of these tables now: see [`Versions::stamp`]. Takes a few microseconds.
    pub fn stamp(&self, tables: &[TableId]) -> Option<Stamp> {
        self.shared.versions.stamp(tables)
    }

    /// Takes the stamp before a query whose answer is to be kept: see [`ReadTicket`].
    pub fn begin_read(&self, tables: &[TableId]) -> ReadTicket {
        self.shared.versions.begin_read(tables)
    }

    /// Runs one statement: see [`SqliteDatabase::run`].
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn run<E>(&self, statement: Statement, encoder: E) -> Result<Answer<E>, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        self.engine.run(statement, encoder).await
    }

    /// Runs several statements on one state of the database: see [`SqliteDatabase::snapshot`].
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn snapshot<T, F>(&self, work: F) -> Result<T, RunError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Snapshot<'_>) -> Result<T, RunError> + Send + 'static,
    {
        self.engine.snapshot(work).await
    }

    /// The count a `SELECT count(*)` statement gives, remembered while the stamp lasts.
    ///
    /// `stamp` is that of the tables the statement reads, `None` when there was none to be had: then
    /// it is counted anew.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn total(
        &self,
        statement: &Statement,
        stamp: Option<Stamp>,
    ) -> Result<u64, RunError> {
        let count = || async {
            let statement = statement.clone();
            let count = self
                .engine
                .snapshot(move |snapshot| snapshot.value(&statement))
                .await?;
            match count {
                Some(Value::Integer(count)) => Ok(u64::try_from(count).unwrap_or_default()),
                _ => Ok(0),
            }
        };
        let freshness = Freshness::of(stamp);
        self.shared
            .totals
            .get(statement, freshness, Instant::now(), count)
            .await
    }

    /// Streams a statement's rows: see [`SqliteDatabase::stream`].
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn stream<E>(
        &self,
        statement: Statement,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        self.engine.stream(statement, encoder, frame_size).await
    }

    /// Runs a write and answers when it is durable. Once it has begun, dropping the future does not
    /// stop it.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is stored then.
    pub async fn write(&self, plan: WritePlan) -> Result<Written, WriteError> {
        let (written, ()) = self.write_then(plan, |_, _| Ok(())).await?;
        Ok(written)
    }

    /// Runs a write and, before it is committed, `after`, which sees the row as it is now: to encode
    /// it for the answer. When `after` fails the write is undone.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is stored then.
    pub async fn write_then<T, F>(
        &self,
        plan: WritePlan,
        after: F,
    ) -> Result<(Written, T), WriteError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Snapshot<'_>, &Written) -> Result<T, RunError> + Send + 'static,
    {
        let writer = self.shared.writer.as_ref().ok_or(WriteError::ReadOnly)?;
        writer.write(plan, after).await
    }

    /// Whether it was opened for writing.
    pub fn is_writable(&self) -> bool {
        self.shared.writer.is_some()
    }

    /// Whether it can be read now: the health check.
    pub async fn is_readable(&self) -> bool {
        self.engine.is_readable().await
    }

    /// Statements run and rows read since it was opened.
    pub fn counts(&self) -> Counts {
        self.engine.counts()
    }

    /// Finishes what is queued, writes first, and stops the threads. Blocks the calling thread: call
    /// it outside the runtime's workers. Statements that come later are refused.
    pub fn close(&self) {
        if let Some(writer) = &self.shared.writer {
            writer.close();
        }
        self.engine.close();
    }
}
