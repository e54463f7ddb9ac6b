//! The crate from outside. What every engine must do runs on each of them: `conformance`, `flows`, `flow_ids`,
//! `flow_running`, `deduplication`, `groups`, `order`,
//! `settings`, `events`, and `model`, which compares with a model.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::duplicate_mod,
    reason = "the same rules are checked on each engine"
)]

mod batches;
mod bulk;
mod cancel;
mod conformance;
mod crash;
mod deduplication;
mod disk;
mod events;
mod flaky;
mod flow_ids;
mod flow_running;
mod flows;
mod groups;
mod layers;
mod model;
mod operator;
mod order;
mod outage;
mod outbox;
#[cfg(feature = "redis")]
mod redis;
mod schedulers;
mod settings;
mod sharing;
mod stop;
mod store;
mod together;
mod transactional;
mod transfer;
mod waits;
mod workbench;
mod worker;

use store::{Store, open};
