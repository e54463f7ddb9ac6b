//! The crate from outside. `conformance` is what every engine must do; it runs on each of them, as `worker` does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::duplicate_mod,
    reason = "the same rules are checked on each engine"
)]

mod conformance;
mod crash;
#[cfg(feature = "redis")]
mod redis;
mod sharing;
mod store;
mod worker;

use store::{Store, open};
