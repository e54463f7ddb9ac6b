//! Bodies that are produced while they are sent.

#[cfg(feature = "sse")]
pub mod sse;
