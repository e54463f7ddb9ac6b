//! An open PostgreSQL database.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::{timeout, timeout_at};
use tokio_postgres::Client;

use super::connect::{PostgresConnection, PostgresManager};
use super::error::PostgresOpenError;
use super::options::PostgresOptions;
use super::versions::{Listener, PostgresVersions, VersionState, is_installed};
use super::wire::Failure;
use crate::catalog::{Catalog, postgres::read};
use crate::encode::RowEncoder;
use crate::pool::Pool;
use crate::run::{Answer, Frames, RowStream, RunError, encode};
use crate::server::{Bounds, Running, Server, Unanswered};
use crate::statement::Statement;

/// The server's connections, and what tells of its changes.
#[derive(Debug)]
pub(crate) struct PostgresDatabase {
    pub(crate) server: Server<PostgresManager>,
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
        let pool = Pool::new(manager, options.pool.clone());
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
        let bounds = Bounds {
            pool: options.pool,
            query_timeout: options.query_timeout,
            max_exports: options.max_exports,
            export_stall_timeout: options.export_stall_timeout,
            writable: options.writable,
        };
        let server = Server::new(pool, bounds);
        Ok((Self { server, changes }, catalog))
    }

    /// Runs one statement and encodes its rows. Dropping the future cancels it.
    pub(crate) async fn run<E: RowEncoder>(
        &self,
        statement: &Statement,
        encoder: E,
    ) -> Result<Answer<E>, RunError> {
        let deadline = self.server.deadline();
        let mut running = self.server.begin(deadline).await?;
        let reading = answer(running.connection(), statement, encoder);
        let Ok(outcome) = timeout_at(deadline.into(), reading).await else {
            return Err(RunError::timeout());
        };
        let answer = running.end(outcome)?;
        self.server.counters().rows(answer.rows);
        Ok(answer)
    }

    /// Runs a statement and hands its rows out in frames, on a connection of its own: as fast as they are taken. What
    /// the client does not take stays in the socket's buffers, and then in the server, which waits. So memory is flat
    /// on both sides, without a cursor and its transaction.
    pub(crate) async fn stream<E>(
        &self,
        statement: Statement,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        let (place, mut running) = self.server.begin_export().await?;
        let make = async move |frames| {
            let outcome = export(running.connection(), &statement, frames).await;
            running.end(outcome)
        };
        let exports = self.server.exports();
        exports.start(place, encoder, frame_size, make).await
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

    /// Takes no more statements and closes the connections. Blocks; not to be called on a worker of the runtime.
    pub(crate) fn close(&self) {
        if let Some(changes) = &self.changes {
            changes.listener.stop();
        }
        self.server.close();
    }
}

/// Runs a statement and encodes its rows.
async fn answer<E: RowEncoder>(
    connection: &mut PostgresConnection,
    statement: &Statement,
    mut encoder: E,
) -> Result<Answer<E>, Unanswered<Failure>> {
    let mut found = connection.ask(statement).await?;
    let (mut bytes, mut rows) = (Vec::with_capacity(found.ahead()), 0);
    encoder.begin(&mut bytes);
    while let Some(row) = found.next().await? {
        encode(&mut encoder, &row, &mut bytes)?;
        rows += 1;
    }
    encoder.end(&mut bytes);
    Ok(Answer {
        encoder,
        bytes,
        rows,
    })
}

/// Sends all frames of an export but the last one, which it answers.
async fn export<E: RowEncoder>(
    connection: &mut PostgresConnection,
    statement: &Statement,
    mut frames: Frames<E>,
) -> Result<Bytes, Unanswered<Failure>> {
    let (stall, late) = (frames.stall(), |_| RunError::timeout());
    let beginning = connection.ask(statement);
    let mut found = timeout(stall, beginning).await.map_err(late)??;
    frames.begin();
    while let Some(row) = timeout(stall, found.next()).await.map_err(late)?? {
        frames.row(&row)?;
        if frames.are_full() {
            frames.hand_over().await?;
        }
    }
    Ok(frames.end())
}
