//! The suffix a content coding adds to a strong tag, and how a suffixed tag is recognised again.

use crate::coding::{Coding, Level};

/// The codings that change the bytes, and therefore the tag.
const SUFFIXED: [Coding; 4] = [Coding::Zstd, Coding::Brotli, Coding::Gzip, Coding::Deflate];

/// `-gzip`, or `-gzip.9` for a level that is not the default.
pub(super) fn suffix(coding: Coding, level: Option<Level>) -> String {
    match level {
        Some(level) => format!("-{}.{}", coding.token(), level.get()),
        None => format!("-{}", coding.token()),
    }
}

/// Whether `candidate` is the tag of `version` in any coding at any level.
pub(super) fn names_version(candidate: &[u8], version: &[u8]) -> bool {
    candidate
        .strip_prefix(version)
        .is_some_and(|rest| rest.is_empty() || is_suffix(rest))
}

/// The tag without its suffix, when it ends in one. Only a guess at what an inner service called the version:
/// use it beside the whole tag, never instead of it.
#[cfg(feature = "compression")]
pub(crate) fn base_tag(candidate: &[u8]) -> Option<&[u8]> {
    let dash = candidate.iter().rposition(|&byte| byte == b'-')?;
    is_suffix(&candidate[dash..]).then(|| &candidate[..dash])
}

fn is_suffix(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b"-") else {
        return false;
    };
    SUFFIXED.iter().any(|coding| {
        rest.strip_prefix(coding.token().as_bytes())
            .is_some_and(|level| level.is_empty() || is_level(level))
    })
}

fn is_level(text: &[u8]) -> bool {
    matches!(text, [b'.', digits @ ..] if (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coding_and_level_names_its_version_and_nothing_else_does() {
        let check = |candidate: &str, expected: bool| {
            assert_eq!(
                names_version(candidate.as_bytes(), b"v"),
                expected,
                "{candidate}"
            );
        };
        for coding in SUFFIXED {
            check(&format!("v{}", suffix(coding, None)), true);
            check(&format!("v{}", suffix(coding, Some(Level::new(9)))), true);
        }
        check("v", true);
        check("v-", false);
        check("v-gzipped", false);
        check("v-gzip.", false);
        check("v-gzip.123", false);
        check("v-identity", false);
        check("vv-gzip", false);
    }

    #[test]
    fn an_application_tag_that_ends_in_a_coding_is_a_version_of_its_own() {
        assert!(names_version(b"v-gzip", b"v-gzip"));
        assert!(names_version(b"v-gzip-gzip", b"v-gzip"));
        assert!(!names_version(b"v", b"v-gzip"));
        assert_eq!(base_tag(b"v-gzip-gzip"), Some(&b"v-gzip"[..]));
        assert_eq!(base_tag(b"v"), None);
    }
}
