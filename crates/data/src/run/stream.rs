//! Encoded rows as a stream of frames, made by whoever reads them from the database.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;

use super::error::RunError;

/// Frames made ahead of the client: one being sent, one ready.
pub(crate) const FRAMES_AHEAD: usize = 2;
/// Frames are kept within these bounds, in bytes.
pub(crate) const FRAME_SIZES: std::ops::RangeInclusive<usize> = 1024..=1024 * 1024;
/// Room for the row that fills a frame.
pub(crate) const SLACK: usize = 4096;

/// What the maker of the frames sends.
#[derive(Debug)]
pub(crate) enum Frame {
    Rows(Bytes),
    Last(Bytes),
    Failed(RunError),
}

/// Encoded rows in frames. The end of the stream is the end of the rows; anything else is an error
/// item, after which the output is incomplete and must not be closed as if it were whole.
///
/// Dropping it stops the statement.
#[derive(Debug)]
pub struct RowStream {
    ready: VecDeque<Frame>,
    frames: mpsc::Receiver<Frame>,
    ended: bool,
    _stop_when_dropped: Option<CancelOnDrop>,
}

/// Sets a mark when dropped: kept by the future or stream that waits for the answer.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(pub(crate) Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl RowStream {
    /// Waits for the first frame, so that an error met before it can still become an error status. The mark is for a
    /// maker that does not hear of the receiver's end while it works.
    pub(crate) async fn begin(
        mut frames: mpsc::Receiver<Frame>,
        stop_when_dropped: Option<CancelOnDrop>,
    ) -> Result<Self, RunError> {
        let ready = match frames.recv().await {
            Some(Frame::Failed(error)) => return Err(error),
            Some(frame) => VecDeque::from([frame]),
            None => return Err(RunError::stopped()),
        };
        Ok(Self {
            ready,
            frames,
            ended: false,
            _stop_when_dropped: stop_when_dropped,
        })
    }
}

impl Stream for RowStream {
    type Item = Result<Bytes, RunError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = match self.ready.pop_front() {
            Some(frame) => Some(frame),
            None => std::task::ready!(self.frames.poll_recv(context)),
        };
        Poll::Ready(match frame {
            Some(Frame::Rows(bytes)) => Some(Ok(bytes)),
            Some(Frame::Last(bytes)) => {
                self.ended = true;
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Some(Frame::Failed(error)) => {
                self.ended = true;
                Some(Err(error))
            }
            // Its maker ended without saying how: the rows are not complete.
            None => {
                self.ended = true;
                Some(Err(RunError::stopped()))
            }
        })
    }
}
