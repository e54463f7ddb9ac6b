//! Rows that others are at, left to them.

/// Ends a `FOR UPDATE` on MySQL and `MariaDB`: rows that somebody has locked are passed over. `MariaDB` knows that since
/// 10.6 and MySQL since 8.0.1, each by a comment that the others pass over; a server that does not waits for the rows.
pub(super) const SKIP_LOCKED: &str = "/*M!100600 SKIP LOCKED */ /*!80001 SKIP LOCKED */";
