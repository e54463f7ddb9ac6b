//! What the binary does with jobs by itself, so that a worker needs no program of its own.

pub(crate) mod http;
