//! The binary from outside: each test starts the real `paceline` and talks to it as a client would.

mod client;
mod server;

mod conditional;
mod listing;
mod login;
mod mail;
mod stop;
mod stream;
mod writes;
