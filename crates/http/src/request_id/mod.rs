//! Request ids: the caller's when it is usable, else one of ours, in the request and in its answer.
//!
//! Whoever stands in front (a proxy, a service that calls this one) gives a request an id in `X-Request-Id`, and
//! finds it again in the logs of every service the request came through. Where nobody did, or the id is not fit for a
//! log line, [`RequestIdLayer`] makes one.
//!
//! ```
//! use axum::{Router, routing::get};
//! use paceline_http::request_id::RequestIdLayer;
//!
//! let app: Router = Router::new()
//!     .route("/", get(async || "hello"))
//!     .layer(RequestIdLayer::new());
//! ```
//!
//! An id tells requests apart, nothing else: ids of one process follow each other, so they are no secrets.

mod future;
mod ids;
mod layer;
mod service;

pub use self::future::RequestIdFuture;
pub use self::ids::{MAX_LENGTH, RequestIds, X_REQUEST_ID};
pub use self::layer::RequestIdLayer;
pub use self::service::RequestId;
