//! Rows as a response body.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame};
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep_until};

use super::encoder::Encoder;
use crate::problem::Problem;

/// Rows are gathered until a frame has this many bytes.
pub const FRAME_BYTES: usize = 32 * 1_024;
/// No frame is larger than this, however long a row is.
pub const LARGEST_FRAME: usize = 64 * 1_024;

/// The body of an answer of rows.
///
/// It asks its stream for rows only while it is asked for frames, so a client that reads slowly slows the
/// source down, and it holds one frame and one row at most. When it is dropped, as it is when the client
/// leaves, so is the stream.
pub struct RowsBody<S> {
    /// `None` once there are no more.
    rows: Option<Pin<Box<S>>>,
    encoder: Encoder,
    pub(super) buffer: Vec<u8>,
    /// How much of the buffer has been sent.
    sent: usize,
    latency: Duration,
    /// When what is in the buffer must leave.
    due: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    broken: Option<BrokenOff>,
}

/// A stream of rows failed after its answer had begun: the transfer is broken off.
#[derive(Debug)]
pub struct BrokenOff {
    rows: u64,
    cause: Problem,
}

impl BrokenOff {
    /// How many rows were sent before.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rows broke off after {}", self.rows)
    }
}

impl std::error::Error for BrokenOff {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl<S> fmt::Debug for RowsBody<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowsBody")
            .field("encoder", &self.encoder)
            .field("waiting", &(self.buffer.len() - self.sent))
            .finish_non_exhaustive()
    }
}

impl<S, T, E> RowsBody<S>
where
    S: Stream<Item = Result<T, E>>,
    T: Serialize,
    E: Into<Problem>,
{
    pub(super) fn new(rows: S, encoder: Encoder, latency: Duration) -> Self {
        Self {
            rows: Some(Box::pin(rows)),
            encoder,
            buffer: Vec::new(),
            sent: 0,
            latency,
            due: None,
            timer: None,
            broken: None,
        }
    }

    /// Reads the first row. What fails until then is the answer.
    pub(super) fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        let Some(rows) = &mut self.rows else {
            return Poll::Ready(Ok(()));
        };
        let first = match ready!(rows.as_mut().poll_next(context)) {
            Some(Ok(first)) => Some(first),
            Some(Err(error)) => return Poll::Ready(Err(error.into())),
            None => None,
        };
        self.encoder.begin(&mut self.buffer);
        match first {
            Some(first) => match self.encoder.row(&first, &mut self.buffer) {
                Ok(()) => self.due = Some(Instant::now() + self.latency),
                Err(error) => return Poll::Ready(Err(Problem::internal(error))),
            },
            None => self.end(),
        }
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, row: Result<T, E>) {
        let written = match row {
            Ok(row) => self
                .encoder
                .row(&row, &mut self.buffer)
                .map_err(Problem::internal),
            Err(error) => Err(error.into()),
        };
        let Err(cause) = written else {
            return;
        };
        tracing::warn!(rows = self.encoder.rows(), %cause, "a stream of rows broke off");
        self.rows = None;
        self.broken = Some(BrokenOff {
            rows: self.encoder.rows(),
            cause,
        });
    }

    fn end(&mut self) {
        self.rows = None;
        self.encoder.end(&mut self.buffer);
    }

    fn waiting(&self) -> usize {
        self.buffer.len() - self.sent
    }

    /// The next frame: all that waits, in pieces.
    fn frame(&mut self) -> Bytes {
        let end = self.buffer.len().min(self.sent + LARGEST_FRAME);
        let frame = Bytes::copy_from_slice(&self.buffer[self.sent..end]);
        self.sent = end;
        if end == self.buffer.len() {
            self.buffer.clear();
            self.sent = 0;
            // A row that was very long does not stay in memory.
            self.buffer.shrink_to(2 * FRAME_BYTES);
            self.due = None;
        }
        frame
    }

    /// Ready when what waits has waited long enough.
    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let latency = self.latency;
        let due = *self.due.get_or_insert_with(|| now + latency);
        if due <= now {
            return Poll::Ready(());
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(context)
    }

    /// Whether rows that come one after the other without a pause have been held back long enough.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let latency = self.latency;
        *self.due.get_or_insert_with(|| now + latency) <= now
    }
}

impl<S, T, E> Body for RowsBody<S>
where
    S: Stream<Item = Result<T, E>>,
    T: Serialize,
    E: Into<Problem>,
{
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let body = self.get_mut();
        loop {
            if body.waiting() >= FRAME_BYTES {
                return Poll::Ready(Some(Ok(Frame::data(body.frame()))));
            }
            let Some(rows) = &mut body.rows else {
                if body.waiting() > 0 {
                    return Poll::Ready(Some(Ok(Frame::data(body.frame()))));
                }
                return Poll::Ready(body.broken.take().map(Err));
            };
            match rows.as_mut().poll_next(context) {
                Poll::Ready(Some(row)) => {
                    body.take(row);
                    if body.waiting() > 0 && body.is_due() {
                        return Poll::Ready(Some(Ok(Frame::data(body.frame()))));
                    }
                }
                Poll::Ready(None) => body.end(),
                Poll::Pending => {
                    if body.waiting() == 0 {
                        return Poll::Pending;
                    }
                    ready!(body.poll_due(context));
                    return Poll::Ready(Some(Ok(Frame::data(body.frame()))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rows.is_none() && self.waiting() == 0 && self.broken.is_none()
    }
}
