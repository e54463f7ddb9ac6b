//! Long answers, sent as they are made: a JSON array, NDJSON or CSV from any `Stream` of rows.
//!
//! ```
//! use axum::response::IntoResponse;
//! use futures_core::Stream;
//! use paceline_http::problem::Problem;
//! use paceline_http::stream::rows::{Format, Rows};
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct User { id: u64, name: String }
//!
//! fn users() -> impl Stream<Item = Result<User, Problem>> + Send {
//!     # futures_util::stream::empty()
//!     /* rows of a database, say */
//! }
//!
//! async fn export(format: Format) -> Result<impl IntoResponse, Problem> {
//!     Rows::new(users()).with_format(format).with_attachment("users").respond().await
//! }
//! # let app: axum::Router = axum::Router::new().route("/export", axum::routing::get(export));
//! ```
//!
//! * **The first row decides the status.** It is waited for before the answer begins; when it is an error, the
//!   answer is its problem document.
//! * **A later error breaks the transfer** (no last chunk in HTTP/1.1, a reset in HTTP/2), and the array is
//!   never closed: what is incomplete does not look complete. NDJSON can carry an
//!   [end marker](Rows::with_end_marker) besides.
//! * **Memory is flat.** Rows are gathered to frames of 32 KiB, at most [`LARGEST_FRAME`], and one is made only
//!   when the one before was taken: a slow client slows the stream. What was gathered leaves after 100 ms, so
//!   that rows that trickle are seen.
//! * **A client that leaves drops the stream**, and with it whatever makes the rows.
//!
//! Not for HTTP/1.0 clients that must notice a broken transfer: their answers end with the connection.

mod answer;
mod body;
mod csv;
mod disposition;
mod encoder;
mod format;

pub use self::answer::{Rows, Sound};
pub use self::body::{BrokenOff, FRAME_BYTES, LARGEST_FRAME, RowsBody};
pub use self::format::Format;

#[cfg(test)]
mod tests;
