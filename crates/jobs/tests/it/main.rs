//! The crate from outside. `conformance` is what every engine must do; it runs on each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batches;
mod cancel;
mod conformance;
mod crash;
mod flaky;
mod layers;
mod outage;
mod sharing;
mod stop;
mod store;
mod workbench;
mod worker;
