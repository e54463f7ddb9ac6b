//! What an operator sees of a request: its id, its metrics, its log line.
//!
//! The outermost layer, so that an answer given by any policy (a limit, a wrong host) is seen too.

mod future;
mod layer;
mod metrics;
mod process;
mod route;
mod service;

pub(super) use layer::ObserveLayer;
pub(super) use metrics::Recorder;
pub(super) use process::page as process_page;
