//! The Redis engine on a real server, which the tests start themselves.

mod bulk;
#[path = "../conformance.rs"]
mod conformance;
mod deduplication;
mod faults;
mod flows;
mod layout;
mod server;
mod store;
#[path = "../worker.rs"]
mod worker;

use store::{Store, open};
