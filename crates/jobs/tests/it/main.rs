//! The crate from outside. `conformance` is what every engine must do; it runs on each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conformance;
mod crash;
mod sharing;
mod store;
mod transfer;
mod worker;
