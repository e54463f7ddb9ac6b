//! Mistakes in how limits are set up: found in the configuration, or in the first requests.
//!
//! Each is a [`Warning`] that says what to do. [`check`] finds what can be known before any request;
//! a [`RateLimitLayer`](super::RateLimitLayer) also looks at the first requests, and logs each kind of
//! warning once. Nothing is refused because of a warning.
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//! use paceline_http::client_ip::{Ipv6PrefixLength, TrustedProxies};
//! use paceline_http::rate_limit::lint::{SetUp, check};
//! use paceline_http::rate_limit::{Policy, Quota};
//!
//! let quota = Quota::new(NonZeroU32::new(100).unwrap(), Duration::from_mins(15))?;
//! let policies = [Policy::new("api", quota)?];
//! let everyone = TrustedProxies::parse(["0.0.0.0/0"])?;
//! let found = check(&SetUp::new(&policies).with_proxies(&everyone));
//! assert_eq!(found[0].code(), "trusts-everyone");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod warning;
mod watch;

pub use self::check::{SetUp, check};
pub use self::warning::Warning;
pub(super) use self::watch::Watch;
