//! Content codings: what the client accepts, what is worth compressing, and how.
//!
//! [`CompressionLayer`] compresses the answers of any tower service. Answers whose bytes are kept in memory
//! between requests are better served by [`representation`](crate::representation), which compresses each
//! version once.
//!
//! # Decisions
//!
//! * The coding is chosen before the handler runs, from `Accept-Encoding` alone ([`AcceptEncoding`]); on a tie
//!   zstd wins over br, gzip and deflate.
//! * No request is refused for its `Accept-Encoding`. RFC 9110, 12.5.3 lets a server disregard the field, and
//!   a 406 after a write has run would be a lie, one before it a nuisance: when nothing is acceptable the
//!   answer goes out in identity.
//! * Types are an allow-list ([`CompressionPolicy`]); short answers stay as they are, unless the client
//!   refuses identity.
//! * Short buffered bodies are compressed in one call and get an exact `Content-Length`; longer ones and
//!   streams are compressed as they flow and flushed when the source pauses.
//! * Strong tags get the coding's suffix, and conditions that carry one are understood: see
//!   [`conditional`](crate::conditional).
//!
//! Answers with secrets beside text the client controls must not be compressed (BREACH): give them
//! `Cache-Control: no-transform` or leave their route out of the layer.

mod accept_encoding;
mod body;
mod cache;
mod codec;
mod flush;
mod future;
mod layer;
mod levels;
mod one_shot;
mod plain_fields;
mod policy;
mod preconditions;
mod service;
mod stream;
mod treatment;
mod vary;

pub use crate::coding::{Coding, Level};
pub use accept_encoding::{AcceptEncoding, Negotiated};
pub use body::{BoxError, CompressionBody};
pub use cache::{EncodedCache, EncodedCacheStatistics, KeyedBy};
pub use future::CompressionFuture;
pub use layer::CompressionLayer;
pub use levels::{CodingSet, Levels};
pub use one_shot::Compressor;
pub use policy::CompressionPolicy;
pub use service::Compression;

#[cfg(feature = "representation")]
pub(crate) use one_shot::UpgradeTurn;
#[cfg(feature = "representation")]
pub(crate) use plain_fields::remove_plain_fields;
#[cfg(feature = "representation")]
pub(crate) use vary::add_vary;
