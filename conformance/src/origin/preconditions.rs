//! Preconditions as an origin that knows only its own tags judges them: whole tags, in the order of RFC 9110, 13.2.2.
//!
//! Written apart from `paceline_http::conditional`, which knows about codings: what a proxy does to tags must show.

use std::time::SystemTime;

use http::header::{
    ETAG, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED,
};
use http::{HeaderMap, Method, StatusCode};
use paceline_http::conditional::{EntityTagList, EntityTagRef};

/// The status instead of the plain answer, when the preconditions ask for one; `current` are the fields of that answer.
pub(super) fn refusal(
    method: &Method,
    request: &HeaderMap,
    current: &HeaderMap,
) -> Option<StatusCode> {
    let tag = current.get(ETAG).map(http::HeaderValue::as_bytes);
    let tag = tag.and_then(|value| EntityTagRef::parse(value).ok());
    let modified = date(current, &LAST_MODIFIED);
    if request.contains_key(IF_MATCH) {
        if !lists(request, &IF_MATCH, |listed| {
            tag.is_some_and(|tag| listed.strong_eq(tag))
        }) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    } else if later(modified, date(request, &IF_UNMODIFIED_SINCE)) == Some(true) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    if request.contains_key(IF_NONE_MATCH) {
        let is_known = lists(request, &IF_NONE_MATCH, |listed| {
            tag.is_some_and(|tag| listed.weak_eq(tag))
        });
        return match (is_known, is_read) {
            (true, true) => Some(StatusCode::NOT_MODIFIED),
            (true, false) => Some(StatusCode::PRECONDITION_FAILED),
            (false, _) => None,
        };
    }
    let is_old = later(modified, date(request, &IF_MODIFIED_SINCE)) == Some(false);
    (is_read && is_old).then_some(StatusCode::NOT_MODIFIED)
}

/// Whether the field lists a tag that matches, or `*`. A malformed one matches nothing.
fn lists(
    headers: &HeaderMap,
    name: &HeaderName,
    matches: impl Fn(&EntityTagRef<'_>) -> bool,
) -> bool {
    let lines = headers
        .get_all(name)
        .iter()
        .map(http::HeaderValue::as_bytes);
    match EntityTagList::parse(lines) {
        Ok(Some(EntityTagList::Any)) => true,
        Ok(Some(EntityTagList::Tags(tags))) => tags.iter().any(matches),
        Ok(None) | Err(_) => false,
    }
}

fn later(modified: Option<SystemTime>, limit: Option<SystemTime>) -> Option<bool> {
    Some(modified? > limit?)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}
