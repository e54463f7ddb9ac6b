//! An open MySQL or `MariaDB` database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use tokio::runtime::Handle;
use tokio::time::timeout_at;

use super::connect::{MySqlConnection, MySqlManager};
use super::error::{MySqlOpenError, classify, not_lent};
use super::export::Exports;
use super::options::MySqlOptions;
use super::query::{self, Stopped};
use super::row::{MySqlRow, Reader};
use super::running::Running;
use crate::catalog::{Catalog, mysql::read};
use crate::encode::RowEncoder;
use crate::pool::{AcquireError, Lease, Pool, Statistics};
use crate::run::{Answer, Counters, Counts, RowStream, RunError, encode};
use crate::statement::Statement;

/// How long closing may take: connections are closed politely in it.
const CLOSE: Duration = Duration::from_millis(500);

/// The pools and what is counted.
#[derive(Debug)]
pub(crate) struct MySqlDatabase {
    pool: Pool<MySqlManager>,
    exports: Exports,
    counters: Arc<Counters>,
    query_timeout: Duration,
    writable: bool,
    runtime: Handle,
}

impl MySqlDatabase {
    /// Connects and reads the schema.
    pub(crate) async fn open(
        options: MySqlOptions,
    ) -> Result<(Self, Arc<Catalog>), MySqlOpenError> {
        let manager = MySqlManager::with_writes(options.address.clone(), options.writable)?;
        let pool = Pool::new(manager.clone(), options.pool.clone());
        let deadline = Instant::now() + options.open_timeout;
        let mut running = Running::new(pool.acquire(deadline).await?);
        let catalog = timeout_at(deadline.into(), schema(running.connection())).await;
        let catalog = catalog.map_err(|_| MySqlOpenError::Timeout)??;
        running.finish();
        let counters = Arc::<Counters>::default();
        let database = Self {
            pool,
            exports: Exports::new(manager, &options, Arc::clone(&counters)),
            counters,
            query_timeout: options.query_timeout,
            writable: options.writable,
            runtime: Handle::current(),
        };
        Ok((database, Arc::new(catalog)))
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
            Err(Unanswered::Statement(stopped)) => {
                running.stop(&stopped);
                Err(classify(stopped))
            }
            Err(Unanswered::Encoder(error)) => Err(error),
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
        let answered = timeout_at(deadline.into(), running.connection().driver().ping()).await;
        let answered = matches!(answered, Ok(Ok(())));
        if answered {
            running.finish();
        }
        answered
    }

    pub(super) async fn lend(
        &self,
        deadline: Instant,
    ) -> Result<Lease<MySqlManager>, AcquireError> {
        self.pool.acquire(deadline).await
    }

    pub(super) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
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
        self.runtime.block_on(async {
            let deadline = Instant::now() + CLOSE;
            self.pool.close(deadline).await;
            self.exports.close(deadline).await;
        });
    }
}

/// Reads the schema on this connection.
async fn schema(connection: &mut MySqlConnection) -> Result<Catalog, mysql_async::Error> {
    let flavor = connection.session().flavor;
    read(connection.driver(), flavor).await
}

/// What ended the reading of rows.
enum Unanswered {
    Statement(Stopped),
    Encoder(RunError),
}

impl From<Stopped> for Unanswered {
    fn from(stopped: Stopped) -> Self {
        Self::Statement(stopped)
    }
}

impl From<mysql_async::Error> for Unanswered {
    fn from(error: mysql_async::Error) -> Self {
        Self::Statement(error.into())
    }
}

/// Runs a statement and encodes its rows.
async fn answer<E: RowEncoder>(
    connection: &mut MySqlConnection,
    statement: &Statement,
    mut encoder: E,
) -> Result<Answer<E>, Unanswered> {
    let mut stream = query::begin(connection, statement).await?;
    let (mut bytes, mut rows, mut readers) = (Vec::new(), 0, None);
    encoder.begin(&mut bytes);
    while let Some(row) = stream.next().await? {
        let readers = readers.get_or_insert_with(|| Reader::of(row.columns_ref()));
        encode(&mut encoder, &MySqlRow::new(&row, readers), &mut bytes)
            .map_err(Unanswered::Encoder)?;
        rows += 1;
    }
    encoder.end(&mut bytes);
    Ok(Answer {
        encoder,
        bytes,
        rows,
    })
}
