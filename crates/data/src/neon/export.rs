//! Rows as a stream of frames, though the interface streams nothing: page by page, each from behind the last row of the
//! one before.
//!
//! Each page is a statement of its own, so an export sees what is committed while it runs, unlike over TCP. Where the
//! plan knows no key to go on from there is one page, and the interface's bound of 10 MiB is the export's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Permit, Sender};
use tokio::time::timeout;

use super::database::{Shared, encode};
use super::result::NeonResult;
use super::row::{Reader, TextRow};
use crate::cell::Row as _;
use crate::encode::RowEncoder;
use crate::plan::ExportPages;
use crate::run::{FRAME_SIZES, FRAMES_AHEAD, Frame, RowStream, RunError};
use crate::statement::{Statement, Value};

/// Rows of the first page. The next ones are larger as long as all goes well.
const FIRST: i64 = 500;
/// Rows of the largest page.
const MOST: i64 = 10_000;
/// A page whose frame is larger than this is followed by one of half the rows.
const LARGE: usize = 4 << 20;

pub(super) async fn start<E>(
    shared: &Arc<Shared>,
    statement: Statement,
    pages: Option<ExportPages>,
    encoder: E,
    frame_size: usize,
) -> Result<RowStream, RunError>
where
    E: RowEncoder + Send + 'static,
{
    let permit = Arc::clone(&shared.exports)
        .try_acquire_owned()
        .map_err(|_| RunError::overloaded())?;
    let (frames, receiver) = mpsc::channel(FRAMES_AHEAD);
    let export = Export {
        shared: Arc::clone(shared),
        encoder,
        frame_size: frame_size.clamp(*FRAME_SIZES.start(), *FRAME_SIZES.end()),
        frames: frames.clone(),
    };
    tokio::spawn(async move {
        let stall = export.shared.stall_timeout;
        let outcome = tokio::select! {
            outcome = export.run(statement, pages) => outcome,
            // The client has gone.
            () = frames.closed() => return,
        };
        // Before the client can know that it is over, so that its next export finds the place free.
        drop(permit);
        if let Ok(slot) = slot(&frames, stall).await {
            slot.send(outcome.map_or_else(Frame::Failed, Frame::Last));
        }
    });
    RowStream::begin(receiver, None).await
}

/// One export under way.
struct Export<E> {
    shared: Arc<Shared>,
    encoder: E,
    frame_size: usize,
    frames: Sender<Frame>,
}

impl<E: RowEncoder> Export<E> {
    /// Sends all frames but the last one, which it answers.
    async fn run(
        mut self,
        statement: Statement,
        pages: Option<ExportPages>,
    ) -> Result<Bytes, RunError> {
        let mut frame = Vec::new();
        self.encoder.begin(&mut frame);
        let Some(pages) = pages else {
            let result = ask(&self.shared, &statement).await?;
            self.take(&result, &mut frame).await?;
            self.encoder.end(&mut frame);
            return Ok(frame.into());
        };
        let mut size = FIRST;
        let mut last: Option<Vec<Value>> = None;
        loop {
            let page = pages.page(last.as_deref(), size);
            let result = match ask(&self.shared, &page).await {
                Err(error) if error.is_too_large() && size > 1 => {
                    size /= 2;
                    continue;
                }
                result => result?,
            };
            let taken = self.take(&result, &mut frame).await?;
            let Some(key) = last_key(&result, &pages)? else {
                break;
            };
            if i64::try_from(result.rows().len()).unwrap_or(i64::MAX) < size {
                break;
            }
            last = Some(key);
            size = if taken > LARGE {
                (size / 2).max(1)
            } else {
                (size * 2).min(MOST)
            };
        }
        self.encoder.end(&mut frame);
        Ok(frame.into())
    }

    /// Encodes a page, and sends what fills a frame; answers the bytes it came to.
    async fn take(&mut self, result: &NeonResult, frame: &mut Vec<u8>) -> Result<usize, RunError> {
        let before = frame.len();
        let rows = encode(result, &mut self.encoder, frame)?;
        self.shared.counters.rows(rows);
        let taken = frame.len() - before;
        if frame.len() >= self.frame_size {
            let stall = self.shared.stall_timeout;
            let full = std::mem::take(frame);
            slot(&self.frames, stall)
                .await?
                .send(Frame::Rows(full.into()));
        }
        Ok(taken)
    }
}

async fn ask(shared: &Shared, statement: &Statement) -> Result<NeonResult, RunError> {
    let deadline = Instant::now() + shared.stall_timeout;
    shared.ask(statement, deadline).await
}

/// The key of the last row; nothing when there is no row.
fn last_key(result: &NeonResult, pages: &ExportPages) -> Result<Option<Vec<Value>>, RunError> {
    let Some(row) = result.rows().last() else {
        return Ok(None);
    };
    let readers = Reader::of(result.fields());
    let row = TextRow::read(row, &readers, result.fields()).map_err(RunError::database)?;
    let key = pages
        .places()
        .iter()
        .map(|place| Value::from(row.cell(*place)));
    Ok(Some(key.collect()))
}

/// Room for one frame, waiting for the client if it must.
async fn slot(frames: &Sender<Frame>, most: Duration) -> Result<Permit<'_, Frame>, RunError> {
    match timeout(most, frames.reserve()).await {
        Ok(Ok(slot)) => Ok(slot),
        Ok(Err(_)) => Err(RunError::stopped()),
        Err(_) => Err(RunError::stalled()),
    }
}
