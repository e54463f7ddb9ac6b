//! Paceline: a fast, correct HTTP API and durable jobs in front of a database.
//!
//! This crate is the binary `paceline` and what it is made of: [`config`] turns a file into a
//! checked configuration, [`demo`] makes a shop to try everything on, [`cli`] is the command line.
//! To put single parts into your own service, use `paceline-http`, `paceline-data` and
//! `paceline-jobs` instead: they know nothing of this crate.

pub mod config;
pub mod secret;
