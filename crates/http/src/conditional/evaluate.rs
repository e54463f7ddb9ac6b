//! The order of preconditions (RFC 9110, 13.2.2), as one function of the request and the current state.

use std::fmt;
use std::time::SystemTime;

use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, Method};

use super::entity_tag::{EntityTag, EntityTagRef};
use super::precondition::{IfMatch, IfNoneMatch};
use crate::problem::Problem;

/// What the server knows about the target resource before it acts.
#[derive(Debug, Clone, Copy)]
pub struct CurrentState<'a> {
    exists: bool,
    tag: Option<EntityTagRef<'a>>,
    last_modified: Option<SystemTime>,
}

impl<'a> CurrentState<'a> {
    /// There is no such resource: `If-Match` is false, `If-None-Match: *` is true.
    pub const fn absent() -> Self {
        Self {
            exists: false,
            tag: None,
            last_modified: None,
        }
    }

    /// The resource exists, without a tag.
    pub const fn untagged() -> Self {
        Self {
            exists: true,
            tag: None,
            last_modified: None,
        }
    }

    /// The resource exists in the version `tag`, given without any coding's suffix.
    pub fn tagged(tag: &'a EntityTag) -> Self {
        Self {
            exists: true,
            tag: Some(tag.as_ref()),
            last_modified: None,
        }
    }

    /// Adds the time of the last change, as sent in `Last-Modified`: whole seconds.
    #[must_use]
    pub fn with_last_modified(self, last_modified: SystemTime) -> Self {
        Self {
            last_modified: Some(last_modified),
            ..self
        }
    }

    /// Whether the resource exists.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// The tag of the current version, if there is one.
    pub fn tag(&self) -> Option<EntityTagRef<'a>> {
        self.tag
    }
}

/// What to do with a conditional request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Perform the method.
    Proceed,
    /// Answer 304 without a body. Only for `GET` and `HEAD`.
    NotModified,
    /// Do not perform the method: answer 412, or 400 when the precondition could not be read.
    Refuse(PreconditionRefused),
}

/// Why a conditional request is not performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreconditionRefused {
    /// A precondition is false: 412.
    Failed,
    /// `If-Match`, or `If-None-Match` of an unsafe method, is malformed: 400.
    Malformed,
}

impl PreconditionRefused {
    /// 412 or 400.
    pub fn status(self) -> http::StatusCode {
        match self {
            Self::Failed => http::StatusCode::PRECONDITION_FAILED,
            Self::Malformed => http::StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for PreconditionRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "the resource is not in the state the request asks for",
            Self::Malformed => {
                "If-Match and If-None-Match must list quoted entity tags or be a lone *"
            }
        })
    }
}

impl std::error::Error for PreconditionRefused {}

impl From<PreconditionRefused> for Problem {
    fn from(refused: PreconditionRefused) -> Self {
        match refused {
            PreconditionRefused::Failed => Self::precondition_failed(),
            PreconditionRefused::Malformed => Self::bad_request(
                "Write If-Match and If-None-Match as a list of quoted entity tags, or as a lone *.",
            ),
        }
    }
}

/// Evaluates the preconditions of a request in the order of RFC 9110, 13.2.2.
///
/// Call it after the checks that would refuse the request anyway (login, limits, 404), and before the method
/// acts. A malformed `If-None-Match` of `GET` or `HEAD` matches nothing; of another method it is refused,
/// because the client asked for protection that cannot be given.
///
/// ```
/// use http::{HeaderMap, Method, header};
/// use paceline_http::conditional::{CurrentState, Decision, EntityTag, evaluate};
///
/// let version = EntityTag::strong("v1").unwrap();
/// let mut headers = HeaderMap::new();
/// headers.insert(header::IF_NONE_MATCH, "\"v1-gzip\"".parse().unwrap());
/// let decision = evaluate(&Method::GET, &headers, &CurrentState::tagged(&version));
/// assert_eq!(decision, Decision::NotModified);
/// ```
pub fn evaluate(method: &Method, headers: &HeaderMap, state: &CurrentState<'_>) -> Decision {
    match IfMatch::from_headers(headers) {
        IfMatch::Malformed(_) => return Decision::Refuse(PreconditionRefused::Malformed),
        IfMatch::Absent => {
            let is_newer = state.last_modified.is_some_and(|modified| {
                date(headers, IF_UNMODIFIED_SINCE).is_some_and(|limit| modified > limit)
            });
            if is_newer {
                return Decision::Refuse(PreconditionRefused::Failed);
            }
        }
        condition @ IfMatch::Tags(_) => {
            if !condition.holds(state) {
                return Decision::Refuse(PreconditionRefused::Failed);
            }
        }
    }
    evaluate_reading(method, headers, state)
}

/// The second half of the order: `If-None-Match`, else `If-Modified-Since`.
fn evaluate_reading(method: &Method, headers: &HeaderMap, state: &CurrentState<'_>) -> Decision {
    let safe = matches!(*method, Method::GET | Method::HEAD);
    if headers.contains_key(IF_NONE_MATCH) {
        return match (IfNoneMatch::from_headers(headers), safe) {
            (IfNoneMatch::Malformed(_), false) => Decision::Refuse(PreconditionRefused::Malformed),
            (condition, true) if condition.matches(state) => Decision::NotModified,
            (condition, false) if condition.matches(state) => {
                Decision::Refuse(PreconditionRefused::Failed)
            }
            _ => Decision::Proceed,
        };
    }
    let is_known = safe
        && state.last_modified.is_some_and(|modified| {
            date(headers, IF_MODIFIED_SINCE).is_some_and(|limit| modified <= limit)
        });
    if is_known {
        Decision::NotModified
    } else {
        Decision::Proceed
    }
}

/// The date of a field that stands on exactly one line; an unreadable date counts as absent.
pub(super) fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    httpdate::parse_http_date(line.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const NEW: &str = "Mon, 07 Nov 1994 08:49:37 GMT";
    const FAILED: Decision = Decision::Refuse(PreconditionRefused::Failed);
    const MALFORMED: Decision = Decision::Refuse(PreconditionRefused::Malformed);

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        lines.iter().map(pair).collect()
    }

    /// The resource is in version `"v"`, last changed at `OLD`.
    fn check(method: &Method, lines: &[(&'static str, &str)], expected: Decision) {
        let version = EntityTag::strong("v").unwrap();
        let modified = httpdate::parse_http_date(OLD).unwrap();
        let state = CurrentState::tagged(&version).with_last_modified(modified);
        assert_eq!(
            evaluate(method, &headers(lines), &state),
            expected,
            "{method} {lines:?}"
        );
    }

    #[test]
    fn if_match_compares_strongly_and_accepts_every_coding() {
        let put = Method::PUT;
        check(&put, &[("if-match", "\"v\"")], Decision::Proceed);
        check(&put, &[("if-match", "\"v-gzip\"")], Decision::Proceed);
        check(
            &put,
            &[("if-match", "\"x\""), ("if-match", "\"v-zstd.19\"")],
            Decision::Proceed,
        );
        check(&put, &[("if-match", "*")], Decision::Proceed);
        check(&put, &[("if-match", "W/\"v\"")], FAILED);
        check(&put, &[("if-match", "\"x\"")], FAILED);
        check(&put, &[("if-match", "")], FAILED);
        check(&put, &[("if-match", "v")], MALFORMED);
        check(&put, &[("if-match", "*, \"v\"")], MALFORMED);
        check(&put, &[("if-match", "w/\"v\"")], MALFORMED);
    }

    #[test]
    fn if_none_match_compares_weakly_and_refuses_unsafe_methods() {
        let get = Method::GET;
        check(&get, &[("if-none-match", "\"v\"")], Decision::NotModified);
        check(&get, &[("if-none-match", "W/\"v\"")], Decision::NotModified);
        check(
            &get,
            &[("if-none-match", "W/\"v-br\"")],
            Decision::NotModified,
        );
        check(
            &Method::HEAD,
            &[("if-none-match", "\"x\", \"v\"")],
            Decision::NotModified,
        );
        check(&get, &[("if-none-match", "*")], Decision::NotModified);
        check(&get, &[("if-none-match", "\"x\"")], Decision::Proceed);
        check(&get, &[("if-none-match", "w/\"v\"")], Decision::Proceed);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            check(&method, &[("if-none-match", "\"v\"")], FAILED);
            check(&method, &[("if-none-match", "*")], FAILED);
            check(&method, &[("if-none-match", "\"x\"")], Decision::Proceed);
            check(&method, &[("if-none-match", "*, \"x\"")], MALFORMED);
        }
    }

    #[test]
    fn dates_count_only_where_no_tag_was_sent() {
        let get = Method::GET;
        check(&get, &[("if-modified-since", OLD)], Decision::NotModified);
        check(
            &get,
            &[("if-modified-since", "yesterday")],
            Decision::Proceed,
        );
        check(
            &get,
            &[("if-modified-since", OLD), ("if-none-match", "\"x\"")],
            Decision::Proceed,
        );
        check(
            &get,
            &[("if-modified-since", OLD), ("if-none-match", "broken")],
            Decision::Proceed,
        );
        check(
            &Method::PUT,
            &[("if-modified-since", OLD)],
            Decision::Proceed,
        );
        check(
            &Method::PUT,
            &[("if-unmodified-since", NEW)],
            Decision::Proceed,
        );
        check(
            &Method::PUT,
            &[("if-unmodified-since", "Sat, 05 Nov 1994 08:49:37 GMT")],
            FAILED,
        );
        check(
            &Method::PUT,
            &[
                ("if-unmodified-since", "Sat, 05 Nov 1994 08:49:37 GMT"),
                ("if-match", "\"v\""),
            ],
            Decision::Proceed,
        );
    }

    #[test]
    fn a_false_if_match_wins_over_a_matching_if_none_match() {
        check(
            &Method::GET,
            &[("if-match", "\"x\""), ("if-none-match", "\"v\"")],
            FAILED,
        );
        check(
            &Method::GET,
            &[("if-match", "\"v\""), ("if-none-match", "\"v\"")],
            Decision::NotModified,
        );
    }

    #[test]
    fn nothing_exists() {
        let check = |lines: &[(&'static str, &str)], expected: Decision| {
            assert_eq!(
                evaluate(&Method::PUT, &headers(lines), &CurrentState::absent()),
                expected,
                "{lines:?}"
            );
        };
        check(&[("if-match", "*")], FAILED);
        check(&[("if-match", "\"v\"")], FAILED);
        check(&[("if-none-match", "*")], Decision::Proceed);
        check(&[], Decision::Proceed);
    }
}
