//! Request limits with `RateLimit`, `RateLimit-Policy` and `Retry-After` fields.
//!
//! A [`Policy`] is a named [`Quota`], so many requests per window, for the paths under a prefix.
//! [`RateLimitLayer`] enforces several of them per client address, or per whatever its [`RequestKey`] finds;
//! [`Limiter`] is the same without HTTP, for anything that is done so many times per window (mails per
//! address). What is counted lies in this process' memory ([`MemoryStore`]) or, with the feature `redis`,
//! on a Redis server several processes share (`shared`).
//!
//! Windows are fixed, sliding, or an even rate with bursts ([`Algorithm`]). Counting is exact: a request's
//! weight is reserved before it runs, and what it costs in the end is settled by its outcome ([`Cost`]), so
//! a thousand concurrent requests cannot share one slot.
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//!
//! use axum::{Router, routing::get};
//! use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
//! use paceline_http::rate_limit::{PathPrefix, Policy, Quota, RateLimitLayer};
//!
//! let quota = Quota::new(NonZeroU32::new(100).unwrap(), Duration::from_mins(15))?;
//! let api = Policy::new("api", quota)?.with_path(PathPrefix::new("/api/")?);
//! let app: Router = Router::new()
//!     .route("/api/posts", get(async || "posts"))
//!     .layer(RateLimitLayer::new([api]))
//!     .layer(ClientAddressLayer::new(TrustedProxies::none()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not a defence against floods of packets or connections. For how many requests run at the same time there
//! is [`concurrency_limit`](crate::concurrency_limit).

pub mod algorithm;
mod clock;
mod future;
mod headers;
mod key;
mod layer;
mod limiter;
pub mod lint;
mod outcome;
mod path;
mod policy;
mod quota;
mod request;
mod reservation;
mod service;
#[cfg(feature = "redis")]
pub mod shared;
mod standing;
pub mod store;

pub use self::algorithm::Algorithm;
pub use self::clock::{Clock, FakeClock, SystemClock, Timestamp};
pub use self::future::ResponseFuture;
pub use self::headers::HeaderDialect;
pub use self::key::LimitKey;
pub use self::layer::RateLimitLayer;
pub use self::limiter::Limiter;
pub use self::outcome::{Cost, CostFunction, Outcome};
pub use self::path::{InvalidPathPrefix, PathPrefix};
pub use self::policy::{FailMode, InvalidPolicyName, Policy};
pub use self::quota::{InvalidBurst, InvalidWindow, Quota};
pub use self::request::{RequestHead, RequestKey};
pub use self::reservation::{Exceeded, QUOTA_EXCEEDED, Reservation};
pub use self::service::RateLimit;
pub use self::standing::Standing;
pub use self::store::memory::MemoryStore;

#[cfg(test)]
mod tests;
