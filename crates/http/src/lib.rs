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
//! | [`request_id`] | `X-Request-Id`: the caller's, or a new one |
//! | [`stream`] | bodies that are produced while they are sent |
//!
//! The crate knows no database and no queue; every layer works with any
//! `tower_service::Service<http::Request<B>>`.
//!
//! # Features
//!
//! None is on by default; each is additive and works alone. Problem documents are always there.
//!
//! | feature | what it adds | needs |
//! |---|---|---|
//! | `axum` | problems and streams as axum responses, [`problem::extract`], [`problem::ProblemLayer`] | |
//! | `client-ip` | [`client_ip`] | `axum` (its `ConnectInfo`) |
//! | `conditional` | [`conditional`] | |
//! | `compression` | [`compression`] | `conditional`: encoded answers have tags of their own |
//! | `representation` | [`representation`] | `compression` |
//! | `rate-limit` | [`rate_limit`] | `client-ip` |
//! | `redis`, `redis-tls` | its store on a Redis server, over TLS | `concurrency-limit`: what an outage answers with |
//! | `concurrency-limit` | [`concurrency_limit`] | `rate-limit` (its path prefixes) |
//! | `fields` | [`fields`] | `axum` |
//! | `page` | [`page`] | `axum` |
//! | `cors` | [`cors`] | |
//! | `request-id` | [`request_id`] | |
//! | `rows` | [`stream::rows`] | `axum` |
//! | `sse` | [`stream::sse`] | |
//! | `full` | all of them | |

#[cfg(feature = "client-ip")]
pub mod client_ip;
#[cfg(feature = "compression")]
pub mod compression;
#[cfg(feature = "concurrency-limit")]
pub mod concurrency_limit;
#[cfg(feature = "conditional")]
pub mod conditional;
#[cfg(feature = "cors")]
pub mod cors;
#[cfg(feature = "fields")]
pub mod fields;
#[cfg(feature = "page")]
pub mod page;
pub mod problem;
#[cfg(feature = "rate-limit")]
pub mod rate_limit;
#[cfg(feature = "representation")]
pub mod representation;
#[cfg(feature = "request-id")]
pub mod request_id;
pub mod stream;

#[cfg(feature = "conditional")]
mod cache_control;
#[cfg(feature = "conditional")]
mod coding;
#[cfg(feature = "conditional")]
mod gathering;
#[cfg(feature = "axum")]
#[allow(dead_code, reason = "each feature uses its part")]
mod parameters;
