//! The crate from outside. `conformance` is what every engine must do; it runs on each of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bulk;
mod conformance;
mod crash;
mod disk;
mod events;
mod outbox;
mod schedulers;
mod sharing;
mod store;
mod transactional;
mod worker;
