//! Bodies that are produced while they are sent.
//!
//! | module | what it is for |
//! |---|---|
//! | [`rows`] | a list too long for memory: JSON array, NDJSON, CSV |
//! | [`sse`] | events as they happen, for as many clients as there are |
//!
//! ```
//! use paceline_http::stream::rows::{Format, Rows};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let numbers = futures_util::stream::iter([1, 2, 3]);
//! let response = Rows::of(numbers).with_format(Format::Ndjson).respond().await?;
//! assert_eq!(response.headers()["content-type"], "application/x-ndjson");
//! # Ok::<(), paceline_http::problem::Problem>(())
//! # }).unwrap();
//! ```

#[cfg(feature = "rows")]
pub mod rows;
#[cfg(feature = "sse")]
pub mod sse;
