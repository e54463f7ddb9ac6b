//! The Redis engine on a real cluster of three masters.

#[path = "../../conformance.rs"]
mod conformance;
mod failing;
#[path = "../../flows.rs"]
mod flows;
mod nodes;
mod queues;
mod store;
#[path = "../../worker.rs"]
mod worker;

use store::{Store, open};
