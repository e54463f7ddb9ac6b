//! Bodies that are produced while they are sent.

pub mod sse;
