//! Where the windows are kept.

pub mod memory;
