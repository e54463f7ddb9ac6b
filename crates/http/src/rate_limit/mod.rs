//! Request limits with `RateLimit`, `RateLimit-Policy` and `Retry-After` fields.
//!
//! A [`Policy`] is a named [`Quota`], so many requests per fixed window, for the paths under a prefix.
//! [`RateLimitLayer`] enforces several of them per client address; [`Limiter`] is the same without HTTP,
//! for anything that is done so many times per window (mails per address).
//!
//! A window begins with a key's first request, and the next one with the first request after its end.
//! Across the edge of two windows up to twice `max` requests fit into one window's length; that is what
//! a fixed window means. Counting is exact: a slot is reserved before the request runs, and kept or given
//! back by the status of the answer, so a thousand concurrent requests cannot share one slot.
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
//! Not a defence against floods of packets or connections, and not shared between processes: each
//! process counts for itself.

mod clock;
mod future;
mod key;
mod layer;
mod limiter;
mod path;
mod policy;
mod quota;
mod reservation;
mod service;
mod standing;
pub mod store;
pub mod window;

pub use self::clock::{Clock, FakeClock, SystemClock, Timestamp};
pub use self::future::ResponseFuture;
pub use self::key::LimitKey;
pub use self::layer::RateLimitLayer;
pub use self::limiter::Limiter;
pub use self::path::{InvalidPathPrefix, PathPrefix};
pub use self::policy::{InvalidPolicyName, Policy};
pub use self::quota::{InvalidWindow, Quota};
pub use self::reservation::{Exceeded, QUOTA_EXCEEDED, Reservation};
pub use self::service::RateLimit;
pub use self::standing::Standing;
pub use self::store::memory::MemoryStore;

#[cfg(test)]
mod tests;
