//! Rows as a stream of frames, from a thread and a connection of the stream's own.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connect::Connector;
use super::error::{classify, not_opened};
use super::guard::{Guard, Limits};
use super::options::SqliteOptions;
use super::row::{SqliteRow, bind};
use crate::encode::RowEncoder;
use crate::run::{
    CancelOnDrop, Counters, FRAME_SIZES, FRAMES_AHEAD, Frame, RowStream, RunError, SLACK,
};
use crate::statement::Statement;

/// The exports of one database: how many may run, and the connections they left for the next.
#[derive(Debug)]
pub(super) struct Exports {
    connector: Connector,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Exporter>>>,
    counters: Arc<Counters>,
    stall_timeout: Duration,
}

#[derive(Debug)]
struct Exporter {
    connection: Connection,
    guard: Guard,
}

impl Exports {
    pub(super) fn new(
        connector: Connector,
        options: &SqliteOptions,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            connector,
            permits: Arc::new(Semaphore::new(
                options.max_exports.get().min(Semaphore::MAX_PERMITS),
            )),
            idle: Arc::default(),
            counters,
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
        let (sender, frames) = mpsc::channel(FRAMES_AHEAD);
        let cancelled = Arc::new(AtomicBool::new(false));
        let stop_when_dropped = CancelOnDrop(Arc::clone(&cancelled));
        let export = Export {
            statement,
            encoder,
            frame_size: frame_size.clamp(*FRAME_SIZES.start(), *FRAME_SIZES.end()),
            frames: sender,
            cancelled,
            counters: Arc::clone(&self.counters),
            stall_timeout: self.stall_timeout,
            runtime: Handle::current(),
        };
        let connector = self.connector.clone();
        let idle = Arc::clone(&self.idle);
        std::thread::Builder::new()
            .name("paceline-export".to_owned())
            .spawn(move || serve(export, &connector, &idle, permit))
            .map_err(|error| not_opened(self.connector.threads(error)))?;
        RowStream::begin(frames, Some(stop_when_dropped)).await
    }
}

/// The body of an export's thread.
fn serve<E: RowEncoder>(
    mut export: Export<E>,
    connector: &Connector,
    idle: &Mutex<Vec<Exporter>>,
    permit: OwnedSemaphorePermit,
) {
    let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let exporter = match kept.map_or_else(|| Exporter::open(connector), Ok) {
        Ok(exporter) => exporter,
        Err(error) => {
            if let Ok(slot) = export.slot() {
                slot.send(Frame::Failed(error));
            }
            return;
        }
    };
    let outcome = export.run(&exporter);
    exporter.guard.set(None);
    let slot = match &outcome {
        // The client has gone, or does not read: there is nobody to tell.
        Err(error) if error.is_stopped() || error.is_stalled() => None,
        _ => export.slot().ok(),
    };
    // Before the client can know that it is over, so that its next export finds the place free.
    idle.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(exporter);
    drop(permit);
    if let Some(slot) = slot {
        slot.send(outcome.map_or_else(Frame::Failed, Frame::Last));
    }
}

impl Exporter {
    fn open(connector: &Connector) -> Result<Self, RunError> {
        let mut connection = connector.reader().map_err(not_opened)?;
        let guard =
            Guard::install(&mut connection).map_err(|error| not_opened(connector.error(error)))?;
        Ok(Self { connection, guard })
    }
}

/// One export under way.
struct Export<E> {
    statement: Statement,
    encoder: E,
    frame_size: usize,
    frames: mpsc::Sender<Frame>,
    cancelled: Arc<AtomicBool>,
    counters: Arc<Counters>,
    stall_timeout: Duration,
    runtime: Handle,
}

impl<E: RowEncoder> Export<E> {
    /// Sends all frames but the last one, which it answers.
    fn run(&mut self, exporter: &Exporter) -> Result<Bytes, RunError> {
        let Exporter { connection, guard } = exporter;
        guard.set(Some(self.limits()));
        guard.check()?;
        self.counters.statement();
        let failed = |error| classify(error, guard);
        let mut prepared = connection
            .prepare_cached(&self.statement.sql)
            .map_err(failed)?;
        bind(&mut prepared, &self.statement).map_err(failed)?;
        let mut cursor = prepared.raw_query();

        let mut frame = self.frame();
        self.encoder.begin(&mut frame);
        let mut rows = 0;
        while let Some(row) = cursor.next().map_err(failed)? {
            rows += 1;
            self.encoder
                .row(&SqliteRow(row), &mut frame)
                .map_err(RunError::encode)?;
            if frame.len() >= self.frame_size {
                self.counters.rows(std::mem::take(&mut rows));
                let full = std::mem::replace(&mut frame, self.frame());
                self.slot()?.send(Frame::Rows(full.into()));
                guard.set(Some(self.limits()));
            }
        }
        self.counters.rows(rows);
        self.encoder.end(&mut frame);
        Ok(frame.into())
    }

    fn frame(&self) -> Vec<u8> {
        Vec::with_capacity(self.frame_size + SLACK)
    }

    /// The next frame must be made before this.
    fn limits(&self) -> Limits {
        Limits {
            deadline: Instant::now() + self.stall_timeout,
            cancelled: Arc::clone(&self.cancelled),
        }
    }

    /// Room for one frame, waiting for the client if it must.
    fn slot(&self) -> Result<mpsc::Permit<'_, Frame>, RunError> {
        match self.frames.try_reserve() {
            Ok(slot) => return Ok(slot),
            Err(TrySendError::Closed(())) => return Err(RunError::stopped()),
            Err(TrySendError::Full(())) => {}
        }
        let waiting =
            async { tokio::time::timeout(self.stall_timeout, self.frames.reserve()).await };
        match self.runtime.block_on(waiting) {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(RunError::stopped()),
            Err(_) => Err(RunError::stalled()),
        }
    }
}
