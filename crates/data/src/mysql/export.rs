//! Rows as a stream of frames, from a task and a connection of the stream's own.
//!
//! The server makes rows as fast as they are taken: what the client does not take stays in the socket's buffers, and
//! then in the server, which waits. So memory is flat on both sides, without a cursor and its transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Permit, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connect::MySqlManager;
use super::error::{classify, not_lent};
use super::options::MySqlOptions;
use super::query::{self, Stopped};
use super::row::{MySqlRow, Reader};
use super::running::Running;
use crate::encode::RowEncoder;
use crate::pool::Pool;
use crate::run::{Counters, FRAME_SIZES, FRAMES_AHEAD, Frame, RowStream, RunError, SLACK};
use crate::statement::Statement;

/// The exports of one database: how many may run, and their connections.
#[derive(Debug)]
pub(super) struct Exports {
    pool: Pool<MySqlManager>,
    permits: Arc<Semaphore>,
    counters: Arc<Counters>,
    query_timeout: Duration,
    stall_timeout: Duration,
}

impl Exports {
    pub(super) fn new(
        manager: MySqlManager,
        options: &MySqlOptions,
        counters: Arc<Counters>,
    ) -> Self {
        let most = options.max_exports.get().min(Semaphore::MAX_PERMITS);
        Self {
            pool: Pool::new(manager, options.pool.clone().size(options.max_exports)),
            permits: Arc::new(Semaphore::new(most)),
            counters,
            query_timeout: options.query_timeout,
            stall_timeout: options.export_stall_timeout,
        }
    }

    pub(super) async fn start<E>(
        &self,
        statement: Statement,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .try_acquire_owned()
            .map_err(|_| RunError::overloaded())?;
        let deadline = Instant::now() + self.query_timeout;
        let lease = self.pool.acquire(deadline).await.map_err(not_lent)?;
        let (frames, receiver) = mpsc::channel(FRAMES_AHEAD);
        let export = Export {
            statement,
            encoder,
            frame_size: frame_size.clamp(*FRAME_SIZES.start(), *FRAME_SIZES.end()),
            frames,
            counters: Arc::clone(&self.counters),
            stall_timeout: self.stall_timeout,
        };
        tokio::spawn(export.serve(Running::new(lease), permit));
        RowStream::begin(receiver, None).await
    }

    pub(super) async fn close(&self, deadline: Instant) {
        self.pool.close(deadline).await;
    }
}

/// One export under way.
struct Export<E> {
    statement: Statement,
    encoder: E,
    frame_size: usize,
    frames: Sender<Frame>,
    counters: Arc<Counters>,
    stall_timeout: Duration,
}

/// Why an export ended early.
enum Ended {
    Statement(Stopped),
    Run(RunError),
}

impl From<RunError> for Ended {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<mysql_async::Error> for Ended {
    fn from(error: mysql_async::Error) -> Self {
        Self::Statement(error.into())
    }
}

impl<E: RowEncoder + Send> Export<E> {
    /// The body of an export's task.
    async fn serve(mut self, mut running: Running, permit: OwnedSemaphorePermit) {
        let frames = self.frames.clone();
        let outcome = tokio::select! {
            outcome = self.run(&mut running) => outcome,
            // The client has gone: what is running is dropped, and cancelled by that.
            () = frames.closed() => return,
        };
        let last = match outcome {
            Ok(last) => {
                running.finish();
                Frame::Last(last)
            }
            Err(Ended::Statement(stopped)) => {
                running.stop(&stopped);
                Frame::Failed(classify(stopped))
            }
            Err(Ended::Run(error)) => {
                drop(running);
                Frame::Failed(error)
            }
        };
        // Before the client can know that it is over, so that its next export finds the place free.
        drop(permit);
        if let Ok(slot) = slot(&self.frames, self.stall_timeout).await {
            slot.send(last);
        }
    }

    /// Sends all frames but the last one, which it answers.
    async fn run(&mut self, running: &mut Running) -> Result<Bytes, Ended> {
        self.counters.statement();
        let stall = self.stall_timeout;
        let late = |_| Ended::Run(RunError::timeout());
        let beginning = query::begin(running.connection(), &self.statement);
        let stream = timeout(stall, beginning).await.map_err(late)?;
        let mut stream = stream.map_err(Ended::Statement)?;
        let mut frame = self.frame();
        self.encoder.begin(&mut frame);
        let (mut rows, mut readers) = (0, None);
        loop {
            let next = timeout(stall, stream.next()).await.map_err(late)?;
            let Some(row) = next? else {
                break;
            };
            let readers = readers.get_or_insert_with(|| Reader::of(row.columns_ref()));
            self.encoder
                .row(&MySqlRow::new(&row, readers), &mut frame)
                .map_err(RunError::encode)?;
            rows += 1;
            if frame.len() >= self.frame_size {
                self.counters.rows(std::mem::take(&mut rows));
                let full = std::mem::replace(&mut frame, self.frame());
                slot(&self.frames, stall)
                    .await?
                    .send(Frame::Rows(full.into()));
            }
        }
        self.counters.rows(rows);
        self.encoder.end(&mut frame);
        Ok(frame.into())
    }

    fn frame(&self) -> Vec<u8> {
        Vec::with_capacity(self.frame_size + SLACK)
    }
}

/// Room for one frame, waiting for the client if it must.
async fn slot(frames: &Sender<Frame>, most: Duration) -> Result<Permit<'_, Frame>, RunError> {
    match timeout(most, frames.reserve()).await {
        Ok(Ok(slot)) => Ok(slot),
        Ok(Err(_)) => Err(RunError::stopped()),
        Err(_) => Err(RunError::stalled()),
    }
}
