//! What is known of a resource before the work, as an owned value.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{ETAG, HeaderName, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};

use super::entity_tag::EntityTag;
use super::evaluate::CurrentState;

/// The first second that has no HTTP date, since 1970.
const YEAR_10000: u64 = 253_402_300_800;

/// The state of the target resource, as a [`Validator`](super::Validator) tells it.
///
/// ```
/// use paceline_http::conditional::{EntityTag, KnownState};
///
/// // What the 200 says besides belongs to its 304 as well.
/// let state = KnownState::tagged(EntityTag::strong("7-42")?)
///     .with_header(http::header::CACHE_CONTROL, "private, max-age=5".parse()?);
/// assert!(state.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct KnownState {
    exists: bool,
    tag: Option<EntityTag>,
    last_modified: Option<SystemTime>,
    /// Boxed: most states have none, and a request's future carries its state along.
    headers: Option<Box<HeaderMap>>,
}

impl KnownState {
    /// There is no such resource: `If-Match` fails, `If-None-Match: *` does not, a read goes on to its 404.
    pub fn absent() -> Self {
        Self {
            exists: false,
            tag: None,
            last_modified: None,
            headers: None,
        }
    }

    /// The resource exists; nothing is known of its version.
    pub fn untagged() -> Self {
        Self {
            exists: true,
            ..Self::absent()
        }
    }

    /// The resource exists in this version, named without any coding's suffix.
    pub fn tagged(tag: EntityTag) -> Self {
        Self {
            exists: true,
            tag: Some(tag),
            ..Self::absent()
        }
    }

    /// Sets `Last-Modified`, cut to whole seconds. A time before 1970 or after 9999 has no HTTP date and is left out.
    #[must_use]
    pub fn with_last_modified(mut self, time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map(|since| since.as_secs());
        let Some(seconds) = seconds.ok().filter(|&seconds| seconds < YEAR_10000) else {
            return self;
        };
        self.last_modified = Some(UNIX_EPOCH + Duration::from_secs(seconds));
        self
    }

    /// Adds a field that the 200 has and its 304 must have too: `Cache-Control`, `Content-Location`, `Expires`, `Vary`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers
            .get_or_insert_with(Box::default)
            .append(name, value);
        self
    }

    /// Whether the resource exists.
    pub fn exists(&self) -> bool {
        self.exists
    }

    pub(super) fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// The borrowed form, for [`evaluate`](super::evaluate).
    pub fn current(&self) -> CurrentState<'_> {
        if !self.exists {
            return CurrentState::absent();
        }
        let state = self
            .tag
            .as_ref()
            .map_or(CurrentState::untagged(), CurrentState::tagged);
        match self.last_modified {
            Some(time) => state.with_last_modified(time),
            None => state,
        }
    }

    /// Adds the validators and the other fields to an answer that does not have its own.
    pub(super) fn complete(&self, headers: &mut HeaderMap) {
        if let Some(tag) = &self.tag {
            headers
                .entry(ETAG)
                .or_insert_with(|| tag.header_value().clone());
        }
        if let Some(time) = self.last_modified
            && !headers.contains_key(LAST_MODIFIED)
            && let Ok(value) = HeaderValue::try_from(httpdate::fmt_http_date(time))
        {
            headers.insert(LAST_MODIFIED, value);
        }
        let Some(more) = &self.headers else { return };
        for name in more.keys() {
            if headers.contains_key(name) {
                continue;
            }
            for value in more.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borrowed_form_says_the_same() {
        let tag = EntityTag::strong("v").unwrap();
        let time = UNIX_EPOCH + Duration::from_millis(784_111_777_999);
        let known = KnownState::tagged(tag.clone()).with_last_modified(time);
        assert_eq!(known.current().tag(), Some(tag.as_ref()));
        let mut headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static("\"own\""))]);
        known.complete(&mut headers);
        assert_eq!(headers[LAST_MODIFIED], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(headers[ETAG], "\"own\"", "an answer's own tag stays");
        assert!(!KnownState::absent().current().exists());
        let never = UNIX_EPOCH - Duration::from_secs(1);
        let left_out = KnownState::untagged().with_last_modified(never);
        let mut headers = HeaderMap::new();
        left_out.complete(&mut headers);
        assert!(left_out.current().exists() && headers.is_empty());
    }
}
