//! Processes killed and frozen at random points, and a ledger that says whether anything was lost.
//!
//! The rounds are few by default; `PACELINE_CHAOS_ROUNDS` makes them many.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod actor;
mod freeze;
mod kill;
mod ledger;
#[cfg(feature = "redis")]
#[path = "../it/redis/server.rs"]
#[allow(dead_code, reason = "shared with the suite beside it, which uses more")]
mod server;
mod store;

/// The process of one of the roles. Without a role it is a test that passes.
#[tokio::test(flavor = "multi_thread")]
async fn actor() {
    actor::play().await;
}
