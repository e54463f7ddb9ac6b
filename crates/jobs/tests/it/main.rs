//! The crate from outside. What every engine must do runs on each of them: `conformance`, `flows`, `flow_ids`,
//! `flow_running`, `deduplication`, `groups`, `order`,
//! `settings`, and `model`, which compares with a model.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conformance;
mod crash;
mod deduplication;
mod flow_ids;
mod flow_running;
mod flows;
mod groups;
mod model;
mod order;
mod settings;
mod sharing;
mod store;
mod together;
mod worker;

use store::{Store, open};
