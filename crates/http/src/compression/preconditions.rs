//! Tags of encoded answers, translated for a service that only knows its own.

use http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};

use crate::coding::{Coding, Level};
use crate::conditional::{EntityTag, EntityTagList, IfNoneMatch, base_tag};

/// Adds to `If-None-Match` and `If-Match`, for each tag that ends in a coding's suffix, the tag without it.
///
/// The whole tag stays in the list: it may be the service's own. Malformed fields stay as they are. `has_listed` is
/// whether there is an `If-None-Match` at all, which the caller has looked up.
pub(super) fn widen_preconditions(headers: &mut HeaderMap, has_listed: bool) {
    if has_listed {
        widen(headers, &IF_NONE_MATCH);
    }
    widen(headers, &IF_MATCH);
}

fn widen(headers: &mut HeaderMap, name: &HeaderName) {
    if !headers.contains_key(name) {
        return;
    }
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let Ok(Some(EntityTagList::Tags(tags))) = EntityTagList::parse(lines) else {
        return;
    };
    let mut added = Vec::new();
    for tag in tags {
        let Some(base) = base_tag(tag.opaque()) else {
            continue;
        };
        if !added.is_empty() {
            added.extend_from_slice(b", ");
        }
        added.extend_from_slice(if tag.is_weak() { b"W/\"" } else { b"\"" });
        added.extend_from_slice(base);
        added.push(b'"');
    }
    if added.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_bytes(&added) {
        headers.append(name, value);
    }
}

/// Gives the answer the strong tag of its coding. Weak and malformed tags stay.
pub(super) fn suffix_tag(headers: &mut HeaderMap, coding: Coding, level: Option<Level>) {
    if let Some(tag) = current_tag(headers) {
        headers.insert(ETAG, tag.for_coding(coding, level).header_value().clone());
    }
}

/// Gives a 304 the tag of the copy the client holds: that of the negotiated coding if it was listed, else the
/// listed one that names the same version.
pub(super) fn restore_listed_tag(
    headers: &mut HeaderMap,
    request: &HeaderMap,
    coding: Coding,
    level: Option<Level>,
) {
    let Some(current) = current_tag(headers) else {
        return;
    };
    let negotiated = current.for_coding(coding, level);
    let held = IfNoneMatch::from_headers(request).held(&current, &negotiated);
    if let Some(held) = held {
        headers.insert(ETAG, held.header_value().clone());
    }
}

fn current_tag(headers: &HeaderMap) -> Option<EntityTag> {
    EntityTag::parse(headers.get(ETAG)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixed_tags_get_their_base_beside_them() {
        let check = |lines: &[&'static str], expected: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_NONE_MATCH, HeaderValue::from_static(line));
            }
            widen_preconditions(&mut headers, true);
            let lines: Vec<_> = headers
                .get_all(IF_NONE_MATCH)
                .iter()
                .map(|line| line.to_str().unwrap())
                .collect();
            assert_eq!(lines, expected);
        };
        check(&["\"v\""], &["\"v\""]);
        check(&["\"v-gzip\""], &["\"v-gzip\"", "\"v\""]);
        check(
            &["W/\"v-br\", \"w\"", "\"x-zstd.19\""],
            &["W/\"v-br\", \"w\"", "\"x-zstd.19\"", "W/\"v\", \"x\""],
        );
        check(&["*"], &["*"]);
        check(&["v-gzip"], &["v-gzip"]);
        check(&[], &[]);
    }

    #[test]
    fn a_304_names_the_copy_the_client_holds() {
        let check = |listed: &'static str, coding: Coding, expected: &str| {
            let request = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(listed))]);
            let mut headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static("\"v\""))]);
            restore_listed_tag(&mut headers, &request, coding, None);
            assert_eq!(headers[ETAG], expected, "{listed} {coding:?}");
        };
        check("\"v\"", Coding::Gzip, "\"v\"");
        check("\"v-gzip\"", Coding::Gzip, "\"v-gzip\"");
        check("\"v\", \"v-gzip\"", Coding::Gzip, "\"v-gzip\"");
        check("\"v-gzip\"", Coding::Identity, "\"v-gzip\"");
        check("W/\"v-br\"", Coding::Gzip, "\"v-br\"");
        check("*", Coding::Gzip, "\"v\"");
    }
}
