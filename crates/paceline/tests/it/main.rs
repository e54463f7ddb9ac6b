//! The binary from outside: each test starts the real `paceline` and talks to it as a client would.
//!
//! The files beside this one that are not declared here test the demo; they are declared with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    dead_code,
    reason = "the tests of the demo use the rest of the harness"
)]

mod client;
mod served;
mod server;
