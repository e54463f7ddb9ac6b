//! An open MySQL or `MariaDB` database.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::{timeout, timeout_at};

use super::connect::{MySqlConnection, MySqlManager};
use super::error::MySqlOpenError;
use super::options::MySqlOptions;
use super::query::{self, Stopped};
use super::row::{MySqlRow, Reader};
use crate::catalog::{Catalog, mysql::read};
use crate::encode::RowEncoder;
use crate::pool::Pool;
use crate::run::{Answer, Frames, RowStream, RunError, encode};
use crate::server::{Bounds, Running, Server, Unanswered};
use crate::statement::Statement;

/// The server's connections.
#[derive(Debug)]
pub(crate) struct MySqlDatabase {
    pub(crate) server: Server<MySqlManager>,
}

impl MySqlDatabase {
    /// Connects and reads the schema.
    pub(crate) async fn open(
        options: MySqlOptions,
    ) -> Result<(Self, Arc<Catalog>), MySqlOpenError> {
        let manager = MySqlManager::with_writes(options.address.clone(), options.writable)?;
        let pool = Pool::new(manager, options.pool.clone());
        let deadline = Instant::now() + options.open_timeout;
        let mut running = Running::new(pool.acquire(deadline).await?);
        let catalog = timeout_at(deadline.into(), schema(running.connection())).await;
        let catalog = catalog.map_err(|_| MySqlOpenError::Timeout)??;
        running.finish();
        let bounds = Bounds {
            pool: options.pool,
            query_timeout: options.query_timeout,
            max_exports: options.max_exports,
            export_stall_timeout: options.export_stall_timeout,
            writable: options.writable,
        };
        let server = Server::new(pool, bounds);
        Ok((Self { server }, Arc::new(catalog)))
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
}

/// Reads the schema on this connection.
async fn schema(connection: &mut MySqlConnection) -> Result<Catalog, mysql_async::Error> {
    let flavor = connection.session().flavor;
    read(connection.driver(), flavor).await
}

/// Runs a statement and encodes its rows.
async fn answer<E: RowEncoder>(
    connection: &mut MySqlConnection,
    statement: &Statement,
    mut encoder: E,
) -> Result<Answer<E>, Unanswered<Stopped>> {
    let mut stream = query::begin(connection, statement).await?;
    let (mut bytes, mut rows, mut readers) = (Vec::new(), 0, None);
    encoder.begin(&mut bytes);
    while let Some(row) = stream.next().await? {
        let readers = readers.get_or_insert_with(|| Reader::of(row.columns_ref()));
        encode(&mut encoder, &MySqlRow::new(&row, readers), &mut bytes)?;
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
    connection: &mut MySqlConnection,
    statement: &Statement,
    mut frames: Frames<E>,
) -> Result<Bytes, Unanswered<Stopped>> {
    let (stall, late) = (frames.stall(), |_| RunError::timeout());
    let beginning = query::begin(connection, statement);
    let mut stream = timeout(stall, beginning).await.map_err(late)??;
    frames.begin();
    let mut readers = None;
    while let Some(row) = timeout(stall, stream.next()).await.map_err(late)?? {
        let readers = readers.get_or_insert_with(|| Reader::of(row.columns_ref()));
        frames.row(&MySqlRow::new(&row, readers))?;
        if frames.are_full() {
            frames.hand_over().await?;
        }
    }
    Ok(frames.end())
}
