//! Complete answers kept in memory, ready to send in every coding they were asked for in.
//!
//! A [`Representation`] is one 200 answer: its type, its fields, its tag and its bytes. A [`VariantCache`]
//! keeps representations while what they were made from is unchanged, and answers requests from them: it
//! negotiates the coding, evaluates the preconditions, and sends bytes and header fields that were built
//! once. Each answer is made once however many clients ask at the same time, and each coding of it is
//! compressed once, when it is first asked for.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//!
//! use http::{HeaderMap, HeaderValue, Method, header};
//! use paceline_http::compression::{CompressionPolicy, Compressor};
//! use paceline_http::conditional::EntityTag;
//! use paceline_http::representation::{Representation, VariantCache};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let compressor = Arc::new(Compressor::new(CompressionPolicy::new()));
//! let cache: VariantCache<u64, Infallible> = VariantCache::new(64 * 1024 * 1024, compressor);
//!
//! let table_version = 7; // read before the rows are
//! let entry = cache
//!     .get_or_render(b"/posts?page=1", table_version, || async {
//!         let body = "[{\"id\":1}]".repeat(200);
//!         let tag = EntityTag::strong("posts-7").expect("only legal characters");
//!         Ok(Representation::new(HeaderValue::from_static("application/json"), body).with_tag(tag))
//!     })
//!     .await?;
//!
//! let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"))]);
//! let response = entry.respond(&Method::GET, &headers).await.expect("no precondition was sent");
//! assert_eq!(response.headers()["etag"], "\"posts-7-br\"");
//! # Ok::<(), Infallible>(())
//! # }).unwrap();
//! ```
//!
//! Not for answers that depend on who asks, unless the caller's key says who, and not for bodies that are
//! too long to keep: those are [streams](crate::stream).
//!
//! Every variant's tag names its coding, and its level where that is not the default, as
//! [`conditional`](crate::conditional) describes; a variant made at a higher level may therefore take the
//! place of another under a tag of its own.

mod cache;
mod entry;
mod flight;
#[expect(
    clippy::module_inception,
    reason = "the type is what the module is about"
)]
mod representation;
mod respond;
mod shelf;
mod statistics;
mod variants;

pub use cache::VariantCache;
pub use entry::Entry;
pub use representation::Representation;
pub use statistics::CacheStatistics;
