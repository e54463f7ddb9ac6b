//! One database, open: its catalog, its engine and its remembered counts together.

mod engine;
mod whole;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use crate::catalog::{Catalog, TableId};
use crate::encode::RowEncoder;
use crate::mysql::{MySqlDatabase, MySqlOpenError, MySqlOptions};
use crate::neon::{NeonDatabase, NeonOpenError, NeonOptions};
use crate::plan::ExportPlan;
use crate::planetscale::{PlanetScaleDatabase, PlanetScaleOpenError, PlanetScaleOptions};
use crate::pool::Statistics;
use crate::postgres::versions::VersionState;
use crate::postgres::{PostgresDatabase, PostgresOpenError, PostgresOptions};
use crate::run::{Answer, Collect, Counts, RowStream, RunError};
use crate::sqlite::{OpenError, SqliteEngine, SqliteOptions};
use crate::statement::{Statement, Value};
use crate::total::{Freshness, Totals};
use crate::version::{ReadTicket, Stamp, Stamps as _};
use crate::write::{ReadBack, Transaction, WriteError, WritePlan, Written};
use engine::Engine;
pub use whole::WholeTransactions;

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
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    catalog: Arc<Catalog>,
    totals: Totals,
}

impl Database {
    /// Opens a SQLite file, reads its schema, and starts its threads. Blocks the calling thread for as long
    /// as that takes.
    ///
    /// # Errors
    /// [`OpenError`] says which file and what to do.
    pub fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let (engine, catalog) = SqliteEngine::open(options)?;
        Ok(Self::new(Engine::Sqlite(engine), catalog))
    }

    /// Connects to a PostgreSQL server and reads the schema, as far as the role may select it. The connections
    /// belong to the runtime this is called on.
    ///
    /// # Errors
    /// [`PostgresOpenError`] says which server and what to do.
    pub async fn connect(options: PostgresOptions) -> Result<Self, PostgresOpenError> {
        let (database, catalog) = PostgresDatabase::open(options).await?;
        Ok(Self::new(Engine::Postgres(database), catalog))
    }

    /// Reads the schema of a PostgreSQL database over HTTP, as far as the role may select it.
    ///
    /// # Errors
    /// [`NeonOpenError`] says which endpoint and what to do.
    pub async fn connect_neon(options: NeonOptions) -> Result<Self, NeonOpenError> {
        let (database, catalog) = NeonDatabase::open(options).await?;
        Ok(Self::new(Engine::Neon(database), catalog))
    }

    /// Connects to a MySQL or `MariaDB` server and reads the schema, as far as the role may select it. The
    /// connections belong to the runtime this is called on.
    ///
    /// # Errors
    /// [`MySqlOpenError`] says which server and what to do.
    pub async fn connect_mysql(options: MySqlOptions) -> Result<Self, MySqlOpenError> {
        let (database, catalog) = MySqlDatabase::open(options).await?;
        Ok(Self::new(Engine::MySql(database), catalog))
    }

    /// Reads the schema of a database at `PlanetScale` over HTTP.
    ///
    /// # Errors
    /// [`PlanetScaleOpenError`] says which endpoint and what to do.
    pub async fn connect_planetscale(
        options: PlanetScaleOptions,
    ) -> Result<Self, PlanetScaleOpenError> {
        let (database, catalog) = PlanetScaleDatabase::open(options).await?;
        Ok(Self::new(Engine::PlanetScale(database), catalog))
    }

    fn new(engine: Engine, catalog: Arc<Catalog>) -> Self {
        Self {
            shared: Arc::new(Shared {
                engine,
                catalog,
                totals: Totals::new(TOTALS),
            }),
        }
    }

    /// The tables and views, as they were when the database was opened.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.shared.catalog
    }

    /// The stamp of these tables now: see [`Versions::stamp`](crate::version::Versions::stamp). Takes a few
    /// microseconds. Always `None` where the engine does not know when tables change
    /// ([`version_state`](Self::version_state)).
    pub fn stamp(&self, tables: &[TableId]) -> Option<Stamp> {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.versions.stamp(tables),
            Engine::Postgres(database) => database.versions()?.stamp(tables),
            Engine::Neon(_) | Engine::MySql(_) | Engine::PlanetScale(_) => None,
        }
    }

    /// Whether equal stamps mean equal rows at any moment. On PostgreSQL a commit of somebody else can be read before
    /// its notification is here: answers may be kept under a stamp, but not be called the same because of it.
    pub fn has_exact_stamps(&self) -> bool {
        match &self.shared.engine {
            Engine::Sqlite(_) => true,
            Engine::Postgres(_) | Engine::Neon(_) | Engine::MySql(_) | Engine::PlanetScale(_) => {
                false
            }
        }
    }

    /// Takes the stamp before a query whose answer is to be kept: see [`ReadTicket`].
    pub fn begin_read(&self, tables: &[TableId]) -> ReadTicket {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.versions.begin_read(tables),
            Engine::Postgres(database) => match database.versions() {
                Some(versions) => ReadTicket::new(Arc::clone(versions) as _, tables),
                None => ReadTicket::unversioned(),
            },
            Engine::Neon(_) | Engine::MySql(_) | Engine::PlanetScale(_) => {
                ReadTicket::unversioned()
            }
        }
    }

    /// Whether, and how, it is known when tables change.
    pub fn version_state(&self) -> VersionState {
        match &self.shared.engine {
            Engine::Sqlite(_) => VersionState::BuiltIn,
            Engine::Postgres(database) => database.version_state(),
            Engine::Neon(_) => VersionState::NotInstalled,
            Engine::MySql(_) | Engine::PlanetScale(_) => VersionState::Absent,
        }
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
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.database.run(statement, encoder).await,
            Engine::Postgres(database) => database.run(&statement, encoder).await,
            Engine::Neon(database) => database.run(&statement, encoder).await,
            Engine::MySql(database) => database.run(&statement, encoder).await,
            Engine::PlanetScale(database) => database.run(&statement, encoder).await,
        }
    }

    /// The first `columns` values of the first `most` rows of a statement.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn rows(
        &self,
        statement: Statement,
        columns: usize,
        most: usize,
    ) -> Result<Vec<Vec<Value>>, RunError> {
        let answer = self.run(statement, Collect::new(columns, most)).await?;
        Ok(answer.encoder.rows)
    }

    /// The first column of the first row, if there is a row: a count, a key, a version.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn value(&self, statement: Statement) -> Result<Option<Value>, RunError> {
        let mut rows = self.rows(statement, 1, 1).await?;
        Ok(rows.pop().and_then(|mut row| row.pop()))
    }

    /// The count a `SELECT count(*)` statement gives, remembered while the stamp lasts.
    ///
    /// `stamp` is that of the tables the statement reads, `None` when there was none to be had: then
    /// it is counted anew on SQLite, and remembered for at most a second on a server.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn total(
        &self,
        statement: &Statement,
        stamp: Option<Stamp>,
    ) -> Result<u64, RunError> {
        let count = || async {
            match self.value(statement.clone()).await? {
                Some(Value::Integer(count)) => Ok(u64::try_from(count).unwrap_or_default()),
                _ => Ok(0),
            }
        };
        let freshness = match &self.shared.engine {
            Engine::Sqlite(_) => Freshness::of(stamp),
            Engine::Postgres(_) => stamp.map_or(Freshness::OneSecond, Freshness::While),
            Engine::Neon(_) | Engine::MySql(_) | Engine::PlanetScale(_) => Freshness::OneSecond,
        };
        self.shared
            .totals
            .get(statement, freshness, Instant::now(), count)
            .await
    }

    /// Runs a statement and hands its rows out in frames of about `frame_size` bytes, no faster than they
    /// are taken.
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
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.database.stream(statement, encoder, frame_size).await,
            Engine::Postgres(database) => database.stream(statement, encoder, frame_size).await,
            Engine::Neon(database) => database.export(statement, None, encoder, frame_size).await,
            Engine::MySql(database) => database.stream(statement, encoder, frame_size).await,
            Engine::PlanetScale(database) => {
                database.export(statement, None, encoder, frame_size).await
            }
        }
    }

    /// As [`stream`](Self::stream), for a planned export: page by page where the way to the database streams nothing.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn export<E>(
        &self,
        plan: ExportPlan,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        let pages = plan.pages().cloned();
        match &self.shared.engine {
            Engine::Neon(database) => {
                let exporting = database.export(plan.statement, pages, encoder, frame_size);
                exporting.await
            }
            Engine::PlanetScale(database) => {
                let exporting = database.export(plan.statement, pages, encoder, frame_size);
                exporting.await
            }
            _ => self.stream(plan.statement, encoder, frame_size).await,
        }
    }

    /// Runs a write and answers when it is durable. Once it has begun, dropping the future does not
    /// stop it.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is stored then.
    pub async fn write(&self, plan: WritePlan) -> Result<Written, WriteError> {
        let nothing = None::<ReadBack<Collect>>;
        let (written, _) = self.write_and_read(plan, nothing).await?;
        Ok(written)
    }

    /// Runs a write and reads the row back as it is before the commit, to encode it for the answer. When that
    /// fails the write is undone. A row that was deleted, or has no key, is not read.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is stored then.
    pub async fn write_and_read<E>(
        &self,
        plan: WritePlan,
        read_back: Option<ReadBack<E>>,
    ) -> Result<(Written, Option<Answer<E>>), WriteError>
    where
        E: RowEncoder + Send + 'static,
    {
        match &self.shared.engine {
            Engine::Sqlite(engine) => {
                let writer = engine.writer.as_ref().ok_or(WriteError::ReadOnly)?;
                writer.write(plan, read_back).await
            }
            Engine::Neon(database) if !database.is_writable() => Err(WriteError::ReadOnly),
            Engine::Neon(database) => {
                let written = database.write(plan, read_back).await;
                self.shared.totals.forget_unversioned();
                written
            }
            Engine::Postgres(database) if !database.server.is_writable() => {
                Err(WriteError::ReadOnly)
            }
            Engine::Postgres(database) => {
                let written = database.write(plan, read_back).await;
                // Whoever wrote must not be told an older count.
                self.shared.totals.forget_unversioned();
                written
            }
            Engine::MySql(database) if !database.server.is_writable() => Err(WriteError::ReadOnly),
            Engine::MySql(database) => {
                let written = database.write(plan, read_back).await;
                self.shared.totals.forget_unversioned();
                written
            }
            Engine::PlanetScale(database) if !database.is_writable() => Err(WriteError::ReadOnly),
            Engine::PlanetScale(database) => {
                let written = database.write(plan, read_back).await;
                self.shared.totals.forget_unversioned();
                written
            }
        }
    }

    /// Runs several statements in one transaction and answers when they are durable. The work runs on a thread where it
    /// may block; on SQLite that is the one thread that writes, and all other writes wait for it. Once it has begun,
    /// dropping the future does not stop it.
    ///
    /// # Errors
    /// What the work answers, and [`WriteError`] when it cannot be begun or committed; nothing is stored then. Over HTTP
    /// [`WriteError::NotInteractive`].
    pub async fn transact<T, W>(&self, work: W) -> Result<T, WriteError>
    where
        T: Send + 'static,
        W: FnOnce(&mut dyn Transaction) -> Result<T, WriteError> + Send + 'static,
    {
        match &self.shared.engine {
            Engine::Sqlite(engine) => {
                let writer = engine.writer.as_ref().ok_or(WriteError::ReadOnly)?;
                writer.transact(Box::new(work)).await
            }
            Engine::Neon(_) => Err(WriteError::NotInteractive),
            Engine::Postgres(database) if !database.server.is_writable() => {
                Err(WriteError::ReadOnly)
            }
            Engine::Postgres(database) => {
                let done = database.transact(Box::new(work)).await;
                self.shared.totals.forget_unversioned();
                done
            }
            Engine::MySql(database) if !database.server.is_writable() => Err(WriteError::ReadOnly),
            Engine::MySql(database) => {
                let done = database.transact(Box::new(work)).await;
                self.shared.totals.forget_unversioned();
                done
            }
            Engine::PlanetScale(database) if !database.is_writable() => Err(WriteError::ReadOnly),
            Engine::PlanetScale(database) => {
                let done = database.transact(Box::new(work)).await;
                self.shared.totals.forget_unversioned();
                done
            }
        }
    }

    /// What creates rows where a transaction is sent whole, and [`transact`](Self::transact) is not to be had: over HTTP.
    pub fn whole_transactions(&self) -> Option<WholeTransactions<'_>> {
        match &self.shared.engine {
            Engine::Neon(database) => Some(WholeTransactions {
                database,
                totals: &self.shared.totals,
            }),
            Engine::Sqlite(_) | Engine::Postgres(_) | Engine::MySql(_) | Engine::PlanetScale(_) => {
                None
            }
        }
    }

    /// Whether it was opened for writing.
    pub fn is_writable(&self) -> bool {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.writer.is_some(),
            Engine::Postgres(database) => database.server.is_writable(),
            Engine::Neon(database) => database.is_writable(),
            Engine::MySql(database) => database.server.is_writable(),
            Engine::PlanetScale(database) => database.is_writable(),
        }
    }

    /// Whether it can be read now: the health check.
    pub async fn is_readable(&self) -> bool {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.database.is_readable().await,
            Engine::Postgres(database) => database.server.is_readable().await,
            Engine::Neon(database) => database.is_readable().await,
            Engine::MySql(database) => database.server.is_readable().await,
            Engine::PlanetScale(database) => database.is_readable().await,
        }
    }

    /// Statements run and rows read since it was opened.
    pub fn counts(&self) -> Counts {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.database.counts(),
            Engine::Postgres(database) => database.server.counts(),
            Engine::Neon(database) => database.counts(),
            Engine::MySql(database) => database.server.counts(),
            Engine::PlanetScale(database) => database.counts(),
        }
    }

    /// How busy the connections to a server are, where there are such.
    pub fn pool(&self) -> Option<Statistics> {
        match &self.shared.engine {
            Engine::Sqlite(_) | Engine::Neon(_) | Engine::PlanetScale(_) => None,
            Engine::Postgres(database) => Some(database.server.statistics()),
            Engine::MySql(database) => Some(database.server.statistics()),
        }
    }

    /// Finishes what is queued, writes first, and stops the threads. Blocks the calling thread: call
    /// it outside the runtime's workers. Statements that come later are refused.
    pub fn close(&self) {
        match &self.shared.engine {
            Engine::Sqlite(engine) => engine.close(),
            Engine::Postgres(database) => database.close(),
            Engine::Neon(database) => database.close(),
            Engine::MySql(database) => database.server.close(),
            Engine::PlanetScale(database) => database.close(),
        }
    }
}
