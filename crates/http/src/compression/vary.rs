//! Adding a name to `Vary` once.

use http::header::{Entry, VARY};
use http::{HeaderMap, HeaderValue};

/// Says that the answer depends on `Accept-Encoding`, unless `Vary` says so already or is `*`.
pub(crate) fn add_vary(headers: &mut HeaderMap) {
    let covers = |name: &[u8]| name == b"*" || name.eq_ignore_ascii_case(b"accept-encoding");
    let added = HeaderValue::from_static("accept-encoding");
    match headers.entry(VARY) {
        Entry::Vacant(place) => {
            place.insert(added);
        }
        Entry::Occupied(mut lines) => {
            let names = lines
                .iter()
                .flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
            if !names.map(<[u8]>::trim_ascii).any(covers) {
                lines.append(added);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_added_once_and_never_beside_a_star() {
        let check = |before: &[&'static str], after: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in before {
                headers.append(VARY, HeaderValue::from_static(line));
            }
            add_vary(&mut headers);
            let lines: Vec<_> = headers
                .get_all(VARY)
                .iter()
                .map(|line| line.to_str().unwrap())
                .collect();
            assert_eq!(lines, after, "{before:?}");
        };
        check(&[], &["accept-encoding"]);
        check(&["origin"], &["origin", "accept-encoding"]);
        check(&["origin , Accept-Encoding"], &["origin , Accept-Encoding"]);
        check(
            &["origin", "accept-encoding"],
            &["origin", "accept-encoding"],
        );
        check(
            &["x-accept-encoding"],
            &["x-accept-encoding", "accept-encoding"],
        );
        check(&["*"], &["*"]);
    }
}
