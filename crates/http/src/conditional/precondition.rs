//! The two preconditions on entity tags.

use http::HeaderMap;
use http::header::{AsHeaderName, IF_MATCH, IF_NONE_MATCH};

use super::coding_suffix::names_version;
use super::entity_tag::{EntityTag, EntityTagRef};
use super::evaluate::CurrentState;
use super::list::{EntityTagList, MalformedEntityTags};

/// `If-Match` (RFC 9110, 13.1.1): go on only if the resource still is what the client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfMatch<'h> {
    /// The request has no such field.
    Absent,
    /// The request lists tags, or says `*`.
    Tags(EntityTagList<'h>),
    /// The field is unreadable. Answer 400: guessing could overwrite somebody's change.
    Malformed(MalformedEntityTags),
}

/// `If-None-Match` (RFC 9110, 13.1.2): go on only if the client does not know the current version yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfNoneMatch<'h> {
    /// The request has no such field.
    Absent,
    /// The request lists tags, or says `*`.
    Tags(EntityTagList<'h>),
    /// The field is unreadable and matches nothing.
    Malformed(MalformedEntityTags),
}

impl<'h> IfMatch<'h> {
    /// Reads the field from all its lines.
    pub fn from_headers(headers: &'h HeaderMap) -> Self {
        if !headers.contains_key(IF_MATCH) {
            return Self::Absent;
        }
        match read(headers, IF_MATCH) {
            Ok(None) => Self::Absent,
            Ok(Some(list)) => Self::Tags(list),
            Err(malformed) => Self::Malformed(malformed),
        }
    }

    /// Whether the condition is true for `state`: strong comparison, where the tag of any coding of the
    /// current version counts as that version. An absent field is true, a malformed one false.
    pub fn holds(&self, state: &CurrentState<'_>) -> bool {
        match self {
            Self::Absent => true,
            Self::Malformed(_) => false,
            Self::Tags(EntityTagList::Any) => state.exists(),
            Self::Tags(EntityTagList::Tags(tags)) => state.tag().is_some_and(|current| {
                !current.is_weak()
                    && tags
                        .iter()
                        .any(|tag| !tag.is_weak() && names_version(tag.opaque(), current.opaque()))
            }),
        }
    }
}

impl<'h> IfNoneMatch<'h> {
    /// Reads the field from all its lines.
    pub fn from_headers(headers: &'h HeaderMap) -> Self {
        match read(headers, IF_NONE_MATCH) {
            Ok(None) => Self::Absent,
            Ok(Some(list)) => Self::Tags(list),
            Err(malformed) => Self::Malformed(malformed),
        }
    }

    /// Whether the client already knows `state`: weak comparison, where the tag of any coding of the current
    /// version counts as that version.
    pub fn matches(&self, state: &CurrentState<'_>) -> bool {
        match self {
            Self::Absent | Self::Malformed(_) => false,
            Self::Tags(EntityTagList::Any) => state.exists(),
            Self::Tags(EntityTagList::Tags(_)) => {
                state.tag().is_some_and(|tag| self.matched(tag).is_some())
            }
        }
    }

    /// The tag of the copy the client holds, which its 304 must carry: `negotiated` when it is listed, else the
    /// first listed tag that names the version of `current`. `None` for `*` and where nothing matches.
    pub fn held(&self, current: &EntityTag, negotiated: &EntityTag) -> Option<EntityTag> {
        let Self::Tags(EntityTagList::Tags(tags)) = self else {
            return None;
        };
        if tags.iter().any(|tag| tag.opaque() == negotiated.opaque()) {
            return Some(negotiated.clone());
        }
        let matched = self.matched(current.as_ref())?;
        let tag = if current.is_weak() {
            EntityTag::weak(matched.opaque())
        } else {
            EntityTag::strong(matched.opaque())
        };
        tag.ok()
    }

    /// The first listed tag that names the version of `current`.
    pub fn matched(&self, current: EntityTagRef<'_>) -> Option<EntityTagRef<'h>> {
        let Self::Tags(EntityTagList::Tags(tags)) = self else {
            return None;
        };
        let same = |tag: &&EntityTagRef<'h>| {
            if current.is_weak() {
                tag.weak_eq(current)
            } else {
                names_version(tag.opaque(), current.opaque())
            }
        };
        tags.iter().find(same).copied()
    }
}

fn read<K: AsHeaderName>(
    headers: &HeaderMap,
    name: K,
) -> Result<Option<EntityTagList<'_>>, MalformedEntityTags> {
    EntityTagList::parse(
        headers
            .get_all(name)
            .iter()
            .map(http::HeaderValue::as_bytes),
    )
}
