//! Headers of answers, as members of JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

/// Headers that speak of the connection, which is the platform's.
const CONNECTION: [HeaderName; 4] = [
    http::header::CONNECTION,
    http::header::TRANSFER_ENCODING,
    http::header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// A value as text. Bytes above ASCII are written as the code points that Latin-1 has for them, unless they are UTF-8.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.into(),
        Err(_) => value.as_bytes().iter().copied().map(char::from).collect(),
    }
}

fn of_the_answer(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    headers
        .iter()
        .filter(|(name, _)| !CONNECTION.contains(name))
}

/// Each name with all its values.
pub(super) fn lists(headers: &HeaderMap) -> BTreeMap<&str, Vec<Cow<'_, str>>> {
    let mut lists: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (name, value) in of_the_answer(headers) {
        lists.entry(name.as_str()).or_default().push(text(value));
    }
    lists
}

/// Each name with its values as one list (RFC 9110, section 5.3); cookies, which cannot be joined, are left out.
pub(super) fn joined(headers: &HeaderMap) -> BTreeMap<Cow<'_, str>, String> {
    let mut joined: BTreeMap<Cow<'_, str>, String> = BTreeMap::new();
    for (name, value) in of_the_answer(headers).filter(|(name, _)| **name != SET_COOKIE) {
        let line = joined.entry(name.as_str().into()).or_default();
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&text(value));
    }
    joined
}

/// The cookies that are set.
pub(super) fn cookies(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    headers.get_all(SET_COOKIE).iter().map(text).collect()
}

/// `set-cookie` in the `index`th of its spellings: where each name has one value, every cookie needs a name of its own.
pub(super) fn spelling(index: usize) -> String {
    let mut letter = 0;
    let spell = |c: char| {
        if !c.is_ascii_alphabetic() {
            return c;
        }
        let is_upper = index >> letter & 1 == 1;
        letter += 1;
        if is_upper { c.to_ascii_uppercase() } else { c }
    };
    SET_COOKIE.as_str().chars().map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_another_and_still_the_header() {
        let spellings: std::collections::BTreeSet<String> = (0..512).map(spelling).collect();
        assert_eq!(spellings.len(), 512);
        assert_eq!(spelling(0), "set-cookie");
        assert!(
            spellings
                .iter()
                .all(|name| name.eq_ignore_ascii_case("set-cookie"))
        );
    }
}
