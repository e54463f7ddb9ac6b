//! Paceline: a fast, correct HTTP API in front of a database.
//!
//! This crate is the binary `paceline` and what it is made of: [`config`] turns a file into a
//! checked configuration, [`server`] serves it, [`demo`] makes a shop to try everything on, [`cli`] is
//! the command line. To put single parts into your own service, use `paceline-http`,
//! `paceline-data` and `paceline-jobs` instead: they know nothing of this crate.

pub mod cli;
pub mod config;
pub mod demo;
mod job_store;
pub mod logging;
mod processor;
pub mod secret;
pub mod server;
mod signals;
