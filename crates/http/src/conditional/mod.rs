//! Conditional requests: entity tags, preconditions, `304 Not Modified` and `412 Precondition Failed`
//! (RFC 9110, sections 8.8 and 13).
//!
//! Two ways in:
//!
//! * The validator is known before the work (a row or table version): call [`evaluate`] with the
//!   [`CurrentState`] and act on the [`Decision`]. This is the only way to honour `If-Match`, because an
//!   unsafe method must be refused before it acts.
//! * Only the finished body tells (a handler without versions): wrap the service in a
//!   [`ConditionalLayer`], which hashes buffered `GET` and `HEAD` answers. It saves bytes, not work, and it
//!   leaves every unsafe method alone.
//!
//! # Tags of encoded answers
//!
//! Identity and gzip bytes of one version differ, so their strong tags must differ too (RFC 9110, 8.8.3.3).
//! The tag of version `"v"` is `"v"` for identity and `"v-gzip"`, `"v-br"`, `"v-zstd"`, `"v-deflate"` for
//! the codings at their default level; another level is written behind a dot, `"v-zstd.19"`, because its
//! bytes differ again. In a precondition every one of these names version `"v"`. Candidates are compared
//! with the current version and are never cut blindly, so an application tag that itself ends in `-gzip`
//! keeps working. An application that gives two versions of one resource the tags `"v"` and `"v-gzip"`
//! cannot be told apart from us: do not do that.

mod body;
mod coding_suffix;
mod entity_tag;
mod evaluate;
mod future;
mod layer;
mod list;
mod not_modified;
mod precondition;
mod service;

pub use body::ConditionalBody;
pub use entity_tag::{EntityTag, EntityTagRef, InvalidEntityTag};
pub use evaluate::{CurrentState, Decision, PreconditionRefused, evaluate};
pub use future::ConditionalFuture;
pub use layer::ConditionalLayer;
pub use list::{EntityTagList, MAX_LIST_BYTES, MAX_LIST_TAGS, MalformedEntityTags};
pub use not_modified::retain_not_modified_headers;
pub use precondition::{IfMatch, IfNoneMatch};
pub use service::Conditional;

pub(crate) use coding_suffix::base_tag;
