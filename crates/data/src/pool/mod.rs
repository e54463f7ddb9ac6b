//! A pool of connections that survives being frozen.
//!
//! Serverless platforms stop a process between two requests and let it go on minutes later; in the meantime the
//! database closed its connections, or a firewall forgot them. A pool that lends such a connection fails the first
//! query, or hangs in it. This one notices that it was frozen and asks before it lends:
//!
//! - a connection is checked only if it lay idle or the process was frozen since it was used ([`Moment`]), with one
//!   round trip that may take 250 ms; one that does not answer is replaced, and no query fails for it;
//! - every wait ends at the caller's deadline, and who would wait in vain is refused at once;
//! - connecting, and only that, is tried again, with full jitter, after errors that may pass;
//! - nothing runs in the background: age and idleness are judged when a connection is lent or returned;
//! - its size follows the place it runs in ([`Place`]): one on Lambda.
//!
//! The pool knows no driver: [`Manage`] does. When requests share one process for good and the database is next
//! door, none of this is needed, and little of it costs anything.

mod age;
pub(crate) mod backoff;
mod check;
mod clock;
mod error;
mod fill;
mod handle;
mod lease;
mod manage;
mod options;
mod place;

mod shared;
mod shed;
mod state;
mod statistics;
#[cfg(test)]
mod tests;
mod wait;

pub use clock::{Clock, ManualClock, Moment, SystemClock};
pub use error::AcquireError;
pub use handle::{Closed, Pool};
pub use lease::Lease;
pub use manage::Manage;
pub use options::PoolOptions;
pub use place::{Place, start_budget};

pub use statistics::{Counts, Occupancy, Statistics};
