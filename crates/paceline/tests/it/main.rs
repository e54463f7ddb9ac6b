//! The binary from outside: each test starts the real `paceline` and talks to it as a client would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod client;
mod conditional;
mod engines;
mod hook;
mod hostile;
mod init;
mod jobs_cli;
mod jobs_move;
mod jobs_redis;
mod jobs_redis_tls;
mod jobs_work;
mod lambda;
mod limits;
mod listing;
mod login;
mod mail;
mod pool_doctor;
mod problems;
mod relations;
mod secret;
mod served;
mod server;
mod sql;
mod stop;
mod stream;
mod traps;
mod writes;
mod writing;
