//! Jobs that follow writes: stored in the transaction of the write, moved to the job store afterwards.
//!
//! The table lies in the application's database, so that a job is there exactly if its write is. The relay sends each
//! job under the id it has since then and deletes the row once the store has answered: killed in between, it sends the
//! job again, and the store gives the one it has.

mod claim;
mod relay;
mod table;

pub(super) use relay::Relay;
pub(crate) use table::schema;
pub(super) use table::{prepare, put};
