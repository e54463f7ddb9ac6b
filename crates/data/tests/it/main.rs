//! The crate's integration tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod exports;
mod files;
mod mysql;
mod neon;
mod opening;
mod planetscale;
mod pool;
mod postgres;
mod reading;
mod relations;
mod versions;
mod walking;
mod writes;
