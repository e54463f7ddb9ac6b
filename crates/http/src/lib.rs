//! HTTP done right, as tower layers and the value types they are built from.
//!
//! | module | what it is for |
//! |---|---|
//! | [`problem`] | errors as RFC 9457 problem documents |
//! | [`client_ip`] | which client a request belongs to, behind trusted proxies |
//! | [`fields`] | sparse fieldsets: clients choose fields, others are not even serialised |
//! | [`page`] | pages of a list, by number and by signed cursor, with `Link` |
//! | [`cors`] | leave for pages of other origins to use all of this |
//! | [`rate_limit`] | limits with honest `RateLimit` and `Retry-After` fields |
//! | [`concurrency_limit`] | how many requests run at the same time, and how many wait |
//! | [`conditional`] | entity tags, preconditions, `304` and `412` (RFC 9110, section 13) |
//! | [`compression`] | `Accept-Encoding` and the content codings zstd, br, gzip, deflate |
//! | [`representation`] | answers kept in memory with every coding they were asked for in |
//! | [`stream`] | bodies that are produced while they are sent |
//!
//! The crate knows no database and no queue; every layer works with any
//! `tower_service::Service<http::Request<B>>`.

pub mod client_ip;
pub mod compression;
pub mod concurrency_limit;
pub mod conditional;
pub mod cors;
pub mod fields;
pub mod page;
pub mod problem;
pub mod rate_limit;
pub mod representation;
pub mod stream;

mod gathering;
mod parameters;
