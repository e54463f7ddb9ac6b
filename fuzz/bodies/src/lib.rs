//! What the fuzz targets do with their input: one function a target. It panics where a promise is broken.
//!
//! The tests of this crate feed them random input on stable; `fuzz/fuzz_targets` feeds them from libFuzzer.

mod client;
mod conditions;
mod cursor;
mod layers;
mod limits;
mod literals;
mod negotiation;
mod query;
mod settings;
mod shapes;

pub use client::{client_address, event_id, event_stream};
pub use conditions::{media_type, preconditions};
pub use cursor::cursor;
pub use layers::{compression, json_body, problem, rate_limit_fields};
pub use limits::redis_address;
pub use literals::sql_literal;
pub use negotiation::{accept_encoding, if_none_match};
pub use query::{fields, filter};
pub use settings::{accept, last_event, network, origin, path_prefix, policy_name};
pub use shapes::{fieldsets, page, page_cursor};
