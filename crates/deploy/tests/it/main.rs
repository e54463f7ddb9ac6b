//! The crate from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "files of some hundred bytes are made here"
)]

mod budgets;
mod elf;
mod packages;
mod refusals;
mod templates;
