//! Exports on their way to their clients: how many may run, and the frames of each.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Permit, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

use super::{Counters, FRAME_SIZES, FRAMES_AHEAD, Frame, RowStream, RunError, SLACK};
use crate::cell::Row;
use crate::encode::RowEncoder;

/// The exports of one database.
#[derive(Debug)]
pub(crate) struct Exports {
    places: Arc<Semaphore>,
    stall: Duration,
    counters: Arc<Counters>,
}

impl Exports {
    /// At most `most` at once, none of which may go without a frame for longer than `stall`.
    pub(crate) fn new(most: NonZeroUsize, stall: Duration, counters: Arc<Counters>) -> Self {
        let most = most.get().min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(most)),
            stall,
            counters,
        }
    }

    /// How long one may go without a frame: made by the statement, or taken by the client.
    pub(crate) fn stall(&self) -> Duration {
        self.stall
    }

    /// A place among those that run.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, RunError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|error| match error {
            TryAcquireError::NoPermits => RunError::overloaded(),
            TryAcquireError::Closed => RunError::stopped(),
        })
    }

    /// Starts no more.
    pub(crate) fn close(&self) {
        self.places.close();
    }

    /// Runs an export as a task; answers with its first frame. `make` sends all frames but the last one, which it
    /// answers. It is dropped when the client goes.
    pub(crate) async fn start<E, M, F>(
        &self,
        place: OwnedSemaphorePermit,
        encoder: E,
        frame_size: usize,
        make: M,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder,
        M: FnOnce(Frames<E>) -> F,
        F: Future<Output = Result<Bytes, RunError>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(FRAMES_AHEAD);
        let stall = self.stall;
        let making = make(Frames {
            encoder,
            frame: Vec::new(),
            size: frame_size.clamp(*FRAME_SIZES.start(), *FRAME_SIZES.end()),
            full: Vec::new(),
            rows: 0,
            sender: sender.clone(),
            stall,
            counters: Arc::clone(&self.counters),
        });
        tokio::spawn(async move {
            let outcome = tokio::select! {
                outcome = making => outcome,
                // The client has gone: what is running is dropped, and stopped by that.
                () = sender.closed() => return,
            };
            // Before the client can know that it is over, so that its next export finds the place free.
            drop(place);
            if let Ok(slot) = slot(&sender, stall).await {
                slot.send(outcome.map_or_else(Frame::Failed, Frame::Last));
            }
        });
        RowStream::begin(receiver, None).await
    }
}

/// The frames of one export.
#[derive(Debug)]
pub(crate) struct Frames<E> {
    encoder: E,
    frame: Vec<u8>,
    size: usize,
    /// Frames that wait to be sent.
    full: Vec<Bytes>,
    /// Rows that are not counted yet.
    rows: u64,
    sender: Sender<Frame>,
    stall: Duration,
    counters: Arc<Counters>,
}

impl<E: RowEncoder> Frames<E> {
    /// Before the first row.
    pub(crate) fn begin(&mut self) {
        self.frame = Vec::with_capacity(self.size + SLACK);
        self.encoder.begin(&mut self.frame);
    }

    /// Encodes a row; answers its bytes.
    pub(crate) fn row(&mut self, row: &dyn Row) -> Result<usize, RunError> {
        let before = self.frame.len();
        let encoded = self.encoder.row(row, &mut self.frame);
        encoded.map_err(RunError::encode)?;
        self.rows += 1;
        let bytes = self.frame.len() - before;
        if self.frame.len() >= self.size {
            let next = Vec::with_capacity(self.size + SLACK);
            let full = std::mem::replace(&mut self.frame, next);
            self.full.push(full.into());
        }
        Ok(bytes)
    }

    /// How long it may go without a frame.
    pub(crate) fn stall(&self) -> Duration {
        self.stall
    }

    /// Whether a frame waits to be sent.
    pub(crate) fn are_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// Sends the frames that are full, as fast as the client takes them.
    pub(crate) async fn hand_over(&mut self) -> Result<(), RunError> {
        self.counters.rows(std::mem::take(&mut self.rows));
        for frame in self.full.drain(..) {
            let slot = slot(&self.sender, self.stall).await?;
            slot.send(Frame::Rows(frame));
        }
        Ok(())
    }

    /// The last frame, once all full ones are sent.
    pub(crate) fn end(mut self) -> Bytes {
        self.counters.rows(self.rows);
        self.encoder.end(&mut self.frame);
        self.frame.into()
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
