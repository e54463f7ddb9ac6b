//! An open PostgreSQL database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio::runtime::Handle;
use tokio::time::timeout_at;
use tokio_postgres::Client;

use super::connect::{PostgresConnection, PostgresManager};
use super::error::{PostgresOpenError, classify, not_lent};
use super::export::Exports;
use super::options::PostgresOptions;
use super::query;
use super::row::{PostgresRow, Reader};
use super::running::Running;
use super::versions::{Listener, PostgresVersions, VersionState, is_installed};
use crate::catalog::{Catalog, postgres::read};
use crate::encode::RowEncoder;
use crate::pool::{AcquireError, Lease, Pool, Statistics};
use crate::run::{Answer, Counters, Counts, RowStream, RunError, encode};
use crate::statement::Statement;

/// How long closing may take: connections are closed politely in it.
const CLOSE: Duration = Duration::from_millis(500);

/// The pools and what is counted.
#[derive(Debug)]
pub(crate) struct PostgresDatabase {
    pool: Pool<PostgresManager>,
    exports: Exports,
    counters: Arc<Counters>,
    query_timeout: Duration,
    writable: bool,
    runtime: Handle,
    changes: Option<Changes>,
}

/// What tells of changes of tables.
#[derive(Debug)]
struct Changes {
    versions: Arc<PostgresVersions>,
    listener: Listener,
}

impl Changes {
    async fn hear(
        catalog: &Arc<Catalog>,
        options: &PostgresOptions,
        pool: &Pool<PostgresManager>,
    ) -> Result<Self, PostgresOpenError> {
        let address = options.listen.as_ref().unwrap_or(&options.address).clone();
        // So that whoever looks at the server's sessions knows which one this is.
        let name = format!("{} versions", address.application_name);
        let manager = PostgresManager::with_credentials(
            address.with_application_name(&name),
            options.credentials.clone(),
        )?;
        let versions = Arc::new(PostgresVersions::new(catalog));
        let listener = Listener::start(Arc::clone(&versions), manager, pool.clone()).await;
        Ok(Self { versions, listener })
    }
}

impl PostgresDatabase {
    /// Connects and reads the schema.
    pub(crate) async fn open(
        options: PostgresOptions,
    ) -> Result<(Self, Arc<Catalog>), PostgresOpenError> {
        let manager = PostgresManager::with_credentials(
            options.address.clone(),
            options.credentials.clone(),
        )?;
        let pool = Pool::new(manager.clone(), options.pool.clone());
        let deadline = Instant::now() + options.open_timeout;
        let mut running = Running::new(pool.acquire(deadline).await?);
        let catalog = timeout_at(deadline.into(), read::<Client>(running.connection())).await;
        let catalog = Arc::new(catalog.map_err(|_| PostgresOpenError::Timeout)??);
        let installed = timeout_at(deadline.into(), is_installed(running.connection())).await;
        let installed = installed.map_err(|_| PostgresOpenError::Timeout)??;
        running.finish();
        let changes = if installed {
            Some(Changes::hear(&catalog, &options, &pool).await?)
        } else {
            None
        };
        let counters = Arc::<Counters>::default();
        let database = Self {
            changes,
            pool,
            exports: Exports::new(manager, &options, Arc::clone(&counters)),
            counters,
            query_timeout: options.query_timeout,
            writable: options.writable,
            runtime: Handle::current(),
        };
        Ok((database, catalog))
    }

    /// Runs one statement and encodes its rows. Dropping the future cancels it.
    pub(crate) async fn run<E: RowEncoder>(
        &self,
        statement: &Statement,
        encoder: E,
    ) -> Result<Answer<E>, RunError> {
        let deadline = Instant::now() + self.query_timeout;
        let lease = self.pool.acquire(deadline).await.map_err(not_lent)?;
        let mut running = Running::new(lease);
        self.counters.statement();
        let reading = answer(running.connection(), statement, encoder);
        let Ok(outcome) = timeout_at(deadline.into(), reading).await else {
            return Err(RunError::timeout());
        };
        match outcome {
            Ok(answer) => {
                running.finish();
                self.counters.rows(answer.rows);
                Ok(answer)
            }
            Err(Stopped::Database(error)) => {
                running.fail(&error);
                Err(classify(error))
            }
            Err(Stopped::Encoder(error)) => Err(error),
        }
    }

    /// Runs a statement and hands its rows out in frames, on a connection of its own.
    pub(crate) async fn stream<E>(
        &self,
        statement: Statement,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        self.exports.start(statement, encoder, frame_size).await
    }

    /// Whether the server answers in time.
    pub(crate) async fn is_readable(&self) -> bool {
        let deadline = Instant::now() + self.query_timeout;
        let Ok(lease) = self.pool.acquire(deadline).await else {
            return false;
        };
        let mut running = Running::new(lease);
        let answered = timeout_at(deadline.into(), running.connection().check_connection()).await;
        let answered = matches!(answered, Ok(Ok(())));
        if answered {
            running.finish();
        }
        answered
    }

    pub(super) async fn lend(
        &self,
        deadline: Instant,
    ) -> Result<Lease<PostgresManager>, AcquireError> {
        self.pool.acquire(deadline).await
    }

    pub(super) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What knows the versions of tables, where they are told.
    pub(crate) fn versions(&self) -> Option<&Arc<PostgresVersions>> {
        self.changes.as_ref().map(|changes| &changes.versions)
    }

    /// Whether versions are told.
    pub(crate) fn version_state(&self) -> VersionState {
        match self.versions() {
            Some(versions) => versions.state(),
            None => VersionState::NotInstalled,
        }
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// How busy the connections of pages and single rows are.
    pub(crate) fn statistics(&self) -> Statistics {
        self.pool.statistics()
    }

    /// Takes no more statements and closes the connections. Blocks; not to be called on a worker of the runtime.
    pub(crate) fn close(&self) {
        if let Some(changes) = &self.changes {
            changes.listener.stop();
        }
        self.runtime.block_on(async {
            let deadline = Instant::now() + CLOSE;
            self.pool.close(deadline).await;
            self.exports.close(deadline).await;
        });
    }
}

/// What ended the reading of rows.
pub(super) enum Stopped {
    Database(tokio_postgres::Error),
    Encoder(RunError),
}

pub(super) async fn answer<E: RowEncoder>(
    connection: &mut PostgresConnection,
    statement: &Statement,
    mut encoder: E,
) -> Result<Answer<E>, Stopped> {
    let stream = query::begin(connection, statement).await;
    let mut stream = std::pin::pin!(stream.map_err(Stopped::Database)?);
    let (mut bytes, mut rows, mut readers) = (Vec::new(), 0, None);
    encoder.begin(&mut bytes);
    while let Some(row) = stream.try_next().await.map_err(Stopped::Database)? {
        let readers = readers.get_or_insert_with(|| Reader::of_columns(row.columns()));
        let row = PostgresRow { row: &row, readers };
        encode(&mut encoder, &row, &mut bytes).map_err(Stopped::Encoder)?;
        rows += 1;
    }
    encoder.end(&mut bytes);
    Ok(Answer {
        encoder,
        bytes,
        rows,
    })
}
