//! The Redis engine on a real server, which the tests start themselves.

mod between;
mod bulk;
#[path = "../conformance.rs"]
mod conformance;
#[path = "../deduplication.rs"]
mod deduplication;
mod event_streams;
#[path = "../events.rs"]
mod events;
mod faults;
#[path = "../flow_ids.rs"]
mod flow_ids;
mod flow_layout;
#[path = "../flow_running.rs"]
mod flow_running;
#[path = "../flows.rs"]
mod flows;
mod layout;
#[path = "../model.rs"]
mod model;
mod no_groups;
#[path = "../order.rs"]
mod order;
mod schedulers;
mod server;
#[path = "../settings.rs"]
mod settings;
mod store;
#[path = "../transfer.rs"]
mod transfer;
#[path = "../worker.rs"]
mod worker;

use store::{Store, open};
