//! The binary from outside: each test starts the real `paceline` and talks to it as a client would.
//!
//! The files beside this one that are not declared here test the demo; they are declared with it.

mod client;
mod served;
mod server;
