//! The Redis engine on a real server, which the tests start themselves.

#[path = "../conformance.rs"]
mod conformance;
mod faults;
mod layout;
mod server;
mod store;
#[path = "../worker.rs"]
mod worker;

use store::{Store, open};
