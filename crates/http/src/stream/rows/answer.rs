//! An answer of rows.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use serde::Serialize;

use super::csv::Csv;
use super::disposition::attachment;
use super::encoder::Encoder;
use super::{Format, RowsBody};
use crate::problem::Problem;

/// How long rows are held back at most, to be sent together.
const LATENCY: Duration = Duration::from_millis(100);
/// Asks nginx, and proxies that follow it, to pass on what comes.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Rows that are sent as they come: see the [module](super).
#[derive(Debug)]
#[must_use = "nothing is read or sent before `respond`"]
pub struct Rows<S> {
    source: S,
    format: Format,
    end_marker: bool,
    latency: Duration,
    file_name: Option<String>,
    csv: Csv,
}

impl<S> Rows<S> {
    /// An answer of the rows of this stream, in JSON. Its errors are [`Problem`]s or become them.
    pub fn new<T, E>(source: S) -> Self
    where
        S: Stream<Item = Result<T, E>>,
    {
        Self {
            source,
            format: Format::default(),
            end_marker: false,
            latency: LATENCY,
            file_name: None,
            csv: Csv::default(),
        }
    }

    /// How they are written. Default: a JSON array.
    pub fn with_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Whether NDJSON ends with a line `{"end":true,"rows":2}`: a reader that does not find it as the last
    /// line knows that rows are missing, even behind a proxy that hides a broken transfer. Default: no.
    pub fn with_end_marker(mut self, end_marker: bool) -> Self {
        self.end_marker = end_marker;
        self
    }

    /// How long rows are held back to be sent together, as long as they are less than a frame. Default:
    /// 100 ms.
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Has browsers save the answer as a file called `name`, with the format's extension added. Default: they
    /// show it.
    pub fn with_attachment(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Which columns CSV has, in this order; nested ones as `author.name`. Others are left out. Default: those
    /// of the first row, in which case a later row with a value in another column breaks the transfer.
    pub fn with_columns(mut self, names: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.csv
            .set_columns(names.into_iter().map(Into::into).collect());
        self
    }

    /// Whether CSV puts a `'` before text that spreadsheets would run as a formula (it begins with `=`, `+`,
    /// `-`, `@`, a tab or a carriage return). Default: yes.
    pub fn with_formula_guard(mut self, guard: bool) -> Self {
        self.csv.set_guarded(guard);
        self
    }

    /// Waits for the first row, and answers 200 with a body that goes on from there.
    ///
    /// # Errors
    /// What the first row failed with. Errors behind it break the transfer.
    pub async fn respond<T, E>(self) -> Result<http::Response<RowsBody<S>>, Problem>
    where
        S: Stream<Item = Result<T, E>>,
        T: Serialize,
        E: Into<Problem>,
    {
        let encoder = Encoder::new(self.format, self.end_marker, self.csv);
        let mut body = RowsBody::new(self.source, encoder, self.latency);
        poll_fn(|context| body.poll_first(context)).await?;
        let mut response = http::Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.format.content_type());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("accept"));
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        if let Some(name) = self.file_name {
            let name = format!("{name}.{}", self.format.extension());
            headers.insert(CONTENT_DISPOSITION, attachment(&name));
        }
        Ok(response)
    }
}

impl<S: Stream> Rows<Sound<S>> {
    /// An answer of the rows of a stream that cannot fail.
    pub fn of(rows: S) -> Self {
        Self::new(Sound {
            rows: Box::pin(rows),
        })
    }
}

/// A stream whose items are no errors.
#[derive(Debug)]
pub struct Sound<S> {
    rows: Pin<Box<S>>,
}

impl<S: Stream> Stream for Sound<S> {
    type Item = Result<S::Item, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rows
            .as_mut()
            .poll_next(context)
            .map(|item| item.map(Ok))
    }
}
