//! How many requests run at the same time: a bounded queue in front, and a fast no beyond it.
//!
//! A server that takes on more than it can do does all of it late. [`ConcurrencyLimitLayer`] lets so many
//! requests run, so many more wait their turn, first come, first served, and answers the rest at once with
//! `503`, `Retry-After` and a problem document. A request runs until its response body has been sent, or the
//! client is gone: a streamed export holds its place as long as it streams. A client that leaves, waiting or
//! running, gives its place back.
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::time::Duration;
//!
//! use axum::{Router, routing::get};
//! use paceline_http::concurrency_limit::ConcurrencyLimitLayer;
//!
//! let exports = ConcurrencyLimitLayer::new(NonZeroUsize::new(4).unwrap())
//!     .with_queue(16)
//!     .with_patience(Duration::from_secs(2));
//! let app: Router = Router::new()
//!     .route("/export", get(async || "rows"))
//!     .layer(exports);
//! ```
//!
//! Not a limit per client: one client can take every place. Put a
//! [`rate_limit`](crate::rate_limit) outside.

mod body;
mod future;
mod gate;
mod layer;
mod service;

pub use self::body::HeldBody;
pub use self::future::ResponseFuture;
pub use self::gate::{REDUCED_CAPACITY, Shed};
pub use self::layer::ConcurrencyLimitLayer;
pub use self::service::ConcurrencyLimit;

#[cfg(test)]
mod tests;
