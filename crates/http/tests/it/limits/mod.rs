//! Limits, in memory and on a Redis server that is started, stopped and killed here: one suite over both.

mod agree;
mod cluster;
mod conformance;
mod faults;
mod keyspace;
mod server;
mod store;
mod together;
mod warnings;
