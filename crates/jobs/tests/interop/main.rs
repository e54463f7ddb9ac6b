//! The Redis engine beside code nobody here wrote, on the same queues at the same time: BullMQ for Node,
//! for Python and for Rust (the official port), Bull Board. `cargo xtask test interop` installs them and runs this.
//!
//! Each test has a Redis of its own. The other side is a small program in its own language that does what it
//! is told and tells what happens ([`peer`]); `differential` compares what is stored, key by key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod board;
mod differential;
mod events;
mod fleet;
mod flows;
mod options;
mod ours;
mod pair;
mod peer;
mod python;
mod recovery;
mod redis_server;
mod results;
mod rust_port;
mod schedulers;
mod settings;
mod world;
