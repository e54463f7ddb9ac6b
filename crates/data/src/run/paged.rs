//! Exports where the way to the database streams nothing: page by page, each from behind the last row of the one before.
//!
//! Each page is a statement of its own, so an export sees what is committed while it runs. Where the plan knows no key
//! to go on from there is one page, and what an answer may hold is the export's bound.

use std::sync::Arc;

use bytes::Bytes;

use super::exports::{Exports, Frames};
use super::{RowStream, RunError};
use crate::cell::Row;
use crate::encode::RowEncoder;
use crate::plan::ExportPages;
use crate::statement::{Statement, Value};

/// Rows of the first page. The next ones are larger as long as all goes well.
const FIRST: i64 = 500;
/// Rows of the largest page.
const MOST: i64 = 10_000;
/// A page of more bytes than this is followed by one of half the rows.
const LARGE: usize = 4 << 20;

/// A database that gives whole answers.
pub(crate) trait WholeAnswers: Send + Sync + 'static {
    /// All rows of a statement.
    type Rows: Send + Sync;

    /// Asks for the rows of a statement of an export.
    ///
    /// # Errors
    /// [`RunError`]; where it [is too large](RunError::is_too_large), fewer rows are asked for.
    fn ask(
        &self,
        statement: &Statement,
    ) -> impl Future<Output = Result<Self::Rows, RunError>> + Send;

    /// Shows each row.
    ///
    /// # Errors
    /// What `see` answers, or that a row cannot be read.
    fn each(
        rows: &Self::Rows,
        see: impl FnMut(&dyn Row) -> Result<(), RunError>,
    ) -> Result<(), RunError>;
}

/// Starts an export; answers with its first frame.
pub(crate) async fn export<A, E>(
    answers: Arc<A>,
    exports: &Exports,
    (statement, pages): (Statement, Option<ExportPages>),
    encoder: E,
    frame_size: usize,
) -> Result<RowStream, RunError>
where
    A: WholeAnswers,
    E: RowEncoder + Send + 'static,
{
    let place = exports.admit()?;
    let make = |frames| run(answers, statement, pages, frames);
    exports.start(place, encoder, frame_size, make).await
}

async fn run<A: WholeAnswers, E: RowEncoder + Send>(
    answers: Arc<A>,
    statement: Statement,
    pages: Option<ExportPages>,
    mut frames: Frames<E>,
) -> Result<Bytes, RunError> {
    frames.begin();
    let Some(pages) = pages else {
        let rows = answers.ask(&statement).await?;
        encode::<A, E>(&rows, &[], &mut frames)?;
        frames.hand_over().await?;
        return Ok(frames.end());
    };
    let mut size = FIRST;
    let mut last: Option<Vec<Value>> = None;
    loop {
        let page = pages.page(last.as_deref(), size);
        let rows = match answers.ask(&page).await {
            Err(error) if error.is_too_large() && size > 1 => {
                size /= 2;
                continue;
            }
            rows => rows?,
        };
        let page = encode::<A, E>(&rows, pages.places(), &mut frames)?;
        drop(rows);
        frames.hand_over().await?;
        if page.rows < size {
            return Ok(frames.end());
        }
        last = Some(page.last);
        size = if page.bytes > LARGE {
            (size / 2).max(1)
        } else {
            (size * 2).min(MOST)
        };
    }
}

/// What a page came to.
#[derive(Default)]
struct Page {
    rows: i64,
    bytes: usize,
    /// The key of its last row; empty where there was none.
    last: Vec<Value>,
}

fn encode<A: WholeAnswers, E: RowEncoder>(
    rows: &A::Rows,
    places: &[usize],
    frames: &mut Frames<E>,
) -> Result<Page, RunError> {
    let mut page = Page::default();
    A::each(rows, |row| {
        page.rows += 1;
        page.bytes += frames.row(row)?;
        page.last.clear();
        let key = places.iter().map(|place| Value::from(row.cell(*place)));
        page.last.extend(key);
        Ok(())
    })?;
    Ok(page)
}
