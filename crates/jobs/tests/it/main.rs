//! The crate from outside. `conformance`, `flows`, `flow_ids`, `deduplication`, `groups`, `settings` and
//! `model` are what every engine must do; they run on each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::duplicate_mod,
    reason = "the same rules are checked on each engine"
)]

mod conformance;
mod crash;
mod deduplication;
mod flow_ids;
mod flows;
mod groups;
mod model;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod sharing;
mod store;
mod together;
mod worker;

use store::{Store, open};
