//! Mail: `POST /send-email` stores a job, a worker delivers it.

mod delivery;
mod maildir;
mod message;
mod payload;
mod route;
mod worker;

pub(super) use payload::Email;
pub(super) use route::{EmailRoute, send_email};
pub(super) use worker::start;
