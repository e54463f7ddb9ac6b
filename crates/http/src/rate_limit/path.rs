//! Which requests a policy is for.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use percent_encoding::percent_decode_str;

/// A path prefix that ends at a segment boundary.
///
/// `/api/` and `/api` mean the same: `/api` and everything below it, but not `/apis`. Paths are compared
/// as they were sent and in a normal form, and either may match, so that `//api`, `/x/../api`, `/%61pi` and
/// `/api/../x` cannot slip past a limit whatever the router behind it makes of them. Letters keep their
/// case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathPrefix {
    /// In normal form, without the slash at the end; empty for all paths.
    prefix: Box<str>,
}

impl PathPrefix {
    /// The prefix `path`, which must begin with `/` and have no `?` or `#`.
    pub fn new(path: &str) -> Result<Self, InvalidPathPrefix> {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(InvalidPathPrefix {
                path: path.to_owned(),
            });
        }
        let normal = normalize(path);
        Ok(Self {
            prefix: normal.trim_end_matches('/').into(),
        })
    }

    /// Every path.
    pub fn all() -> Self {
        Self {
            prefix: Box::default(),
        }
    }

    /// Whether the request path `path` (without its query) is under this prefix.
    pub fn matches(&self, path: &str) -> bool {
        self.contains(&RequestPath::new(path))
    }

    pub(super) fn contains(&self, path: &RequestPath<'_>) -> bool {
        self.is_before(path.sent) || path.normal().is_some_and(|path| self.is_before(path))
    }

    fn is_before(&self, path: &str) -> bool {
        let prefix = &*self.prefix;
        prefix.is_empty()
            || path
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A request's path, for all prefixes it is compared with.
pub(super) struct RequestPath<'path> {
    sent: &'path str,
    /// Made once, and only for a prefix that is not before what was sent.
    normal: OnceCell<Option<String>>,
}

impl<'path> RequestPath<'path> {
    pub(super) fn new(sent: &'path str) -> Self {
        Self {
            sent,
            normal: OnceCell::new(),
        }
    }

    /// The normal form, where it differs from what was sent.
    fn normal(&self) -> Option<&str> {
        let made = || match normalize(self.sent) {
            Cow::Borrowed(_) => None,
            Cow::Owned(normal) => Some(normal),
        };
        self.normal.get_or_init(made).as_deref()
    }
}

/// Prints the prefix with a slash at its end.
impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.prefix)
    }
}

/// A path prefix that does not begin with `/`, or has a query or a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPathPrefix {
    path: String,
}

impl fmt::Display for InvalidPathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the path prefix `{}` must begin with / and have no ? or #",
            self.path
        )
    }
}

impl std::error::Error for InvalidPathPrefix {}

/// `path` with percent-encodings decoded once, empty and `.` segments dropped and `..` followed.
/// Most paths are in that form already and are handed back as they are.
fn normalize(path: &str) -> Cow<'_, str> {
    if !is_odd(path.as_bytes()) {
        return Cow::Borrowed(path);
    }
    // An encoded slash stays what it is, a character of its segment.
    let mut segments: Vec<Cow<'_, str>> = Vec::new();
    for raw in path.split('/') {
        let segment = percent_decode_str(raw).decode_utf8_lossy();
        match &*segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name if name.contains('/') => segments.push(Cow::Borrowed(raw)),
            _ => segments.push(segment),
        }
    }
    Cow::Owned(
        segments
            .iter()
            .fold(String::with_capacity(path.len()), |path, segment| {
                path + "/" + segment
            }),
    )
}

/// Whether a path may differ from its normal form: it has a `%`, a `//` or a `/.`. In one pass, and with one
/// comparison for most bytes.
fn is_odd(path: &[u8]) -> bool {
    let mut after_slash = false;
    for &byte in path {
        if byte > b'/' {
            after_slash = false;
            continue;
        }
        match byte {
            b'%' => return true,
            b'/' | b'.' if after_slash => return true,
            _ => after_slash = byte == b'/',
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(prefix: &str, path: &str, expected: bool) {
        assert_eq!(
            PathPrefix::new(prefix).unwrap().matches(path),
            expected,
            "{prefix} {path}"
        );
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        for prefix in ["/api", "/api/"] {
            check(prefix, "/api", true);
            check(prefix, "/api/", true);
            check(prefix, "/api/posts", true);
            check(prefix, "/apis", false);
            check(prefix, "/API/posts", false);
            check(prefix, "/v1/api", false);
        }
        check("/", "/anything", true);
        check("/", "*", true);
        check("/api/auth/login", "/api/auth/login", true);
        check("/api/auth/login", "/api/auth", false);
    }

    #[test]
    fn spellings_of_a_path_do_not_slip_past() {
        for path in [
            "//api//posts",
            "/./api",
            "/x/../api",
            "/%61pi/posts",
            "/%2e/api",
            "/../../api",
            "/api/../x",
        ] {
            check("/api", path, true);
        }
        check("/api", "/api%2Fposts", false);
        check("/api", "/%2561pi", false);
        check("/a b", "/a%20b/c", true);
        check("/a%20b", "/a%20b/c", true);
    }

    #[test]
    fn only_paths_are_prefixes() {
        for path in ["", "api", "/api?x", "/api#x"] {
            assert!(PathPrefix::new(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_without_a_panic_and_a_normal_form_stays(path in "[/.%a-f0-9é]{0,40}") {
            let _ = PathPrefix::new("/api").unwrap().matches(&path);
            if path.starts_with('/') && !path.contains('%') {
                let once = normalize(&path).into_owned();
                let twice = normalize(&once).into_owned();
                prop_assert_eq!(twice, once);
            }
        }
    }
}
