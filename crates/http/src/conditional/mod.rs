//! Conditional requests: entity tags, preconditions, `304 Not Modified` and `412 Precondition Failed`
//! (RFC 9110, sections 8.8 and 13).
//!
//! Three ways in:
//!
//! * The version is known before the work (a row or table version): write a [`Validator`] and wrap the service in a
//!   [`ValidatorLayer`]. A 304 costs no work, and a method that acts is refused before it does.
//! * The handler itself knows when: it calls [`evaluate`] with the [`CurrentState`] and acts on the [`Decision`].
//! * Only the finished body tells (a handler without versions): wrap the service in a [`ConditionalLayer`], which
//!   hashes buffered `GET` and `HEAD` answers. It saves bytes, not work, and it leaves every unsafe method alone.
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

mod before;
mod body;
mod coding_suffix;
mod entity_tag;
mod evaluate;
mod future;
mod if_range;
mod known_state;
mod layer;
mod list;
mod not_modified;
mod precondition;
mod service;

pub use self::before::{Validated, ValidatedFuture, Validator, ValidatorLayer};
pub use crate::coding::{Coding, Level};
pub use body::ConditionalBody;
pub use entity_tag::{EntityTag, EntityTagRef, InvalidEntityTag};
pub use evaluate::{CurrentState, Decision, PreconditionRefused, evaluate};
pub use future::ConditionalFuture;
pub use if_range::IfRange;
pub use known_state::KnownState;
pub use layer::ConditionalLayer;
pub use list::{EntityTagList, MAX_LIST_BYTES, MAX_LIST_TAGS, MalformedEntityTags};
pub use not_modified::retain_not_modified_headers;
pub use precondition::{IfMatch, IfNoneMatch};
pub use service::Conditional;

#[cfg(feature = "compression")]
pub(crate) use coding_suffix::base_tag;
