//! Where the counts are kept.

pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;
