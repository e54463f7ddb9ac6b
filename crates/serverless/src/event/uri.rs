//! The target of a request, from a path and a query that may be decoded already.

use std::fmt::Write as _;

use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Malformed;

/// What a path cannot hold as it is. Non-ASCII is encoded as well.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');
/// What a query cannot hold as it is.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');
/// What a name or a value in a query cannot hold as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Path and query as a request has them. What is encoded stays as it is, in the query down to the last byte; what a URI
/// cannot hold is encoded, because HTTP APIs hand decoded paths on.
pub(super) fn target(path: &str, query: &str) -> Result<Uri, Malformed> {
    let mut text = String::with_capacity(path.len() + query.len() + 2);
    if !path.starts_with('/') {
        text.push('/');
    }
    for (index, part) in path.split('%').enumerate() {
        if index > 0 {
            let is_escape = part
                .as_bytes()
                .get(..2)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
            text.push_str(if is_escape { "%" } else { "%25" });
        }
        text.extend(utf8_percent_encode(part, PATH));
    }
    if !query.is_empty() {
        text.push('?');
        text.extend(utf8_percent_encode(query, QUERY));
    }
    let target = PathAndQuery::try_from(text)
        .map_err(|error| Malformed(format!("{path:?} is no path of a request: {error}")))?;
    Ok(Uri::from(target))
}

/// A query of decoded names and values.
pub(super) fn encoded(pairs: &[(String, String)]) -> String {
    joined(pairs, |text| utf8_percent_encode(text, PART).to_string())
}

/// A query of names and values that were never decoded.
pub(super) fn raw(pairs: &[(String, String)]) -> String {
    joined(pairs, ToOwned::to_owned)
}

fn joined(pairs: &[(String, String)], write: impl Fn(&str) -> String) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        let separator = if query.is_empty() { "" } else { "&" };
        // Writing to a string cannot fail.
        let _ = write!(query, "{separator}{}={}", write(name), write(value));
    }
    query
}

/// The path without the stage, where the stage is its first segment.
pub(super) fn without_stage<'a>(path: &'a str, stage: &str) -> &'a str {
    let rest = path
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(stage));
    match rest {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_stays_and_what_is_not_becomes_so() {
        for (path, query, expected) in [
            ("/a%2Fb", "x=%20+%2B&x=&&y", "/a%2Fb?x=%20+%2B&x=&&y"),
            ("/caf\u{e9} 1", "", "/caf%C3%A9%201"),
            ("/100%", "q=100%", "/100%25?q=100%"),
            ("/%zz", "", "/%25zz"),
            ("", "", "/"),
            ("a", "", "/a"),
            ("/a?b#c", "d#e", "/a%3Fb%23c?d%23e"),
            ("//other.example/x", "", "//other.example/x"),
        ] {
            let found = target(path, query).expect("a path");
            assert_eq!(found.to_string(), expected);
            assert!(found.host().is_none());
        }
    }

    #[test]
    fn a_stage_is_a_whole_segment() {
        for (path, expected) in [
            ("/prod/users", "/users"),
            ("/prod", "/"),
            ("/prod/", "/"),
            ("/products", "/products"),
            ("/users/prod", "/users/prod"),
            ("/prod/prod", "/prod"),
        ] {
            assert_eq!(without_stage(path, "prod"), expected);
        }
    }
}
