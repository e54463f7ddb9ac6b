//! The preconditions of a write, as what the statement checks (RFC 9110 section 13.1).

use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use paceline_data::write::Precondition;
use paceline_http::conditional::{EntityTagList, IfMatch, IfNoneMatch};
use paceline_http::problem::Problem;

/// What the headers ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// What the statement checks.
    pub(super) precondition: Precondition,
    /// Row versions of which none may be the current one (`If-None-Match` with tags).
    pub(super) none_of: Vec<String>,
}

/// Reads the preconditions. A tag stands for the version of its row: what follows the first dot (selection,
/// coding) does not matter, and a weak tag matches nothing in `If-Match`.
pub(super) fn asked(headers: &HeaderMap, required: bool) -> Result<Asked, Problem> {
    let if_match = match IfMatch::from_headers(headers) {
        IfMatch::Absent => None,
        IfMatch::Tags(EntityTagList::Any) => Some(Precondition::IfMatchAny),
        IfMatch::Tags(EntityTagList::Tags(tags)) => {
            let strong = tags.iter().filter(|tag| !tag.is_weak());
            Some(Precondition::IfMatch(
                strong.filter_map(|tag| row_version(tag.opaque())).collect(),
            ))
        }
        _ => return Err(malformed(&IF_MATCH)),
    };
    let (none_any, none_of) = match IfNoneMatch::from_headers(headers) {
        IfNoneMatch::Absent => (false, Vec::new()),
        IfNoneMatch::Tags(EntityTagList::Any) => (true, Vec::new()),
        IfNoneMatch::Tags(EntityTagList::Tags(tags)) => (
            false,
            tags.iter()
                .filter_map(|tag| row_version(tag.opaque()))
                .collect(),
        ),
        _ => return Err(malformed(&IF_NONE_MATCH)),
    };
    let precondition = match if_match {
        // Both can only hold for no row at all.
        _ if none_any => Precondition::IfNoneMatchAny,
        Some(precondition) => precondition,
        None if required => return Err(Problem::precondition_required()),
        None => Precondition::None,
    };
    Ok(Asked {
        precondition,
        none_of,
    })
}

fn row_version(opaque: &[u8]) -> Option<String> {
    let version = opaque.split(|byte| *byte == b'.').next()?;
    String::from_utf8(version.to_vec()).ok()
}

fn malformed(header: &http::HeaderName) -> Problem {
    Problem::invalid_header(header, "Send quoted tags joined by commas, or a single *.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(
        lines: &[(&'static str, &'static str)],
        required: bool,
        expected: &Result<Asked, u16>,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let found = asked(&headers, required).map_err(|problem| problem.status().as_u16());
        assert_eq!(&found, expected, "{lines:?}");
    }

    #[expect(clippy::unnecessary_wraps, reason = "what `check` compares with")]
    fn is(precondition: Precondition, none_of: &[&str]) -> Result<Asked, u16> {
        Ok(Asked {
            precondition,
            none_of: none_of.iter().map(ToString::to_string).collect(),
        })
    }

    #[test]
    fn tags_stand_for_row_versions() {
        let versions =
            |list: &[&str]| Precondition::IfMatch(list.iter().map(ToString::to_string).collect());
        check(&[], false, &is(Precondition::None, &[]));
        check(
            &[("if-match", "\"v.c-gzip\", W/\"w.c\", \"x\"")],
            false,
            &is(versions(&["v", "x"]), &[]),
        );
        check(
            &[("if-match", "\"a\""), ("if-match", "\"b\"")],
            true,
            &is(versions(&["a", "b"]), &[]),
        );
        check(
            &[("if-match", "*")],
            true,
            &is(Precondition::IfMatchAny, &[]),
        );
        check(
            &[("if-none-match", "*")],
            true,
            &is(Precondition::IfNoneMatchAny, &[]),
        );
        check(
            &[("if-none-match", "W/\"v.c\"")],
            false,
            &is(Precondition::None, &["v"]),
        );
        check(&[], true, &Err(428));
        check(&[("if-match", "v")], false, &Err(400));
    }
}
