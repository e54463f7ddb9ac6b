//! Limits that several processes share, counted on a Redis server.
//!
//! [`SharedLimiter`] is to [`Limiter`](super::Limiter) what [`SharedRateLimitLayer`] is to
//! [`RateLimitLayer`](super::RateLimitLayer): the same policies, keys, headers and outcomes, with the counts
//! in a [`RedisStore`](super::store::redis::RedisStore). Each request is one round trip; one more when its
//! outcome changes its cost. A key that is used up is refused without a round trip until it can pass again,
//! at most for a minute.
//!
//! While the server cannot be asked, each policy does what its [`FailMode`](super::FailMode) says.
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//!
//! use axum::{Router, routing::post};
//! use paceline_http::rate_limit::shared::{SharedLimiter, SharedRateLimitLayer};
//! use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};
//! use paceline_http::rate_limit::{FailMode, Policy, Quota};
//!
//! let store = RedisStore::new(&RedisOptions::new("redis://127.0.0.1:6379"))?;
//! let quota = Quota::new(NonZeroU32::new(5).unwrap(), Duration::from_hours(1))?;
//! let login = Policy::new("login", quota)?
//!     .with_skip_successful(true)
//!     .with_fail_mode(FailMode::Closed);
//! let limiter = SharedLimiter::new(store, [login])?;
//! let app: Router = Router::new()
//!     .route("/login", post(async || "welcome"))
//!     .layer(SharedRateLimitLayer::new(limiter));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod denials;
mod layer;
mod limiter;
mod refused;
mod reservation;
mod service;

pub use self::layer::SharedRateLimitLayer;
pub use self::limiter::SharedLimiter;
pub use self::refused::{Refused, StoreUnavailable};
pub use self::reservation::SharedReservation;
pub use self::service::SharedRateLimit;
