//! One entity tag, owned or borrowed from a header line.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;

use super::coding_suffix;
use crate::coding::{Coding, Level};

/// An entity tag (RFC 9110, 8.8.3), kept as the header value it is sent as.
///
/// ```
/// use paceline_http::conditional::EntityTag;
///
/// let tag = EntityTag::strong("7-42").unwrap();
/// assert_eq!(tag.header_value(), "\"7-42\"");
/// assert!(EntityTag::parse(b"W/\"a\"").unwrap().is_weak());
/// assert!(EntityTag::parse(b"unquoted").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EntityTag {
    value: HeaderValue,
    weak: bool,
}

/// An entity tag that borrows its bytes, as lists are read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntityTagRef<'a> {
    weak: bool,
    opaque: &'a [u8],
}

/// The bytes are no entity tag: not quoted, or with a quote, space or control character inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidEntityTag;

impl EntityTag {
    /// A strong tag: two answers with it are the same byte for byte.
    ///
    /// Errors when `opaque` holds a quote, a space or a control character. The empty tag is legal.
    pub fn strong(opaque: impl AsRef<[u8]>) -> Result<Self, InvalidEntityTag> {
        Self::build(false, opaque.as_ref())
    }

    /// A weak tag: answers with it mean the same, their bytes may differ. Never matches in `If-Match`.
    pub fn weak(opaque: impl AsRef<[u8]>) -> Result<Self, InvalidEntityTag> {
        Self::build(true, opaque.as_ref())
    }

    /// Reads one tag in its header form, `"..."` or `W/"..."`.
    pub fn parse(value: &[u8]) -> Result<Self, InvalidEntityTag> {
        let tag = EntityTagRef::parse(value)?;
        Self::build(tag.weak, tag.opaque)
    }

    fn build(weak: bool, opaque: &[u8]) -> Result<Self, InvalidEntityTag> {
        let is_legal = opaque.iter().copied().all(is_tag_byte);
        is_legal
            .then(|| Self::from_legal(weak, opaque))
            .ok_or(InvalidEntityTag)
    }

    /// Puts the quotes around bytes that have been checked.
    fn from_legal(weak: bool, opaque: &[u8]) -> Self {
        let mark: &[u8] = if weak { b"W/\"" } else { b"\"" };
        let text = Bytes::from([mark, opaque, b"\""].concat());
        let value = HeaderValue::from_maybe_shared(text).expect("tag bytes are header bytes");
        Self { value, weak }
    }

    /// The tag of this version in `coding`, as described in the [module](super). Identity and weak tags stay
    /// as they are. `level` is given only when it is not the coding's default.
    #[must_use]
    pub fn for_coding(&self, coding: Coding, level: Option<Level>) -> Self {
        if self.weak || coding == Coding::Identity {
            return self.clone();
        }
        let suffix = coding_suffix::suffix(coding, level);
        Self::from_legal(false, &[self.opaque(), suffix.as_bytes()].concat())
    }

    /// The tag as a header value; cloning it is cheap.
    pub fn header_value(&self) -> &HeaderValue {
        &self.value
    }

    /// What is between the quotes.
    pub fn opaque(&self) -> &[u8] {
        let bytes = self.value.as_bytes();
        &bytes[if self.weak { 3 } else { 1 }..bytes.len() - 1]
    }

    /// Whether this is a weak tag.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// The borrowed form.
    pub fn as_ref(&self) -> EntityTagRef<'_> {
        EntityTagRef {
            weak: self.weak,
            opaque: self.opaque(),
        }
    }
}

impl<'a> EntityTagRef<'a> {
    /// Reads one tag in its header form. `w/` in lower case is malformed: the mark is case-sensitive.
    pub fn parse(value: &'a [u8]) -> Result<Self, InvalidEntityTag> {
        match Self::parse_prefix(value)? {
            (tag, []) => Ok(tag),
            _ => Err(InvalidEntityTag),
        }
    }

    /// Reads a tag at the start of `input` and returns what follows it.
    pub(super) fn parse_prefix(input: &'a [u8]) -> Result<(Self, &'a [u8]), InvalidEntityTag> {
        let (weak, quoted) = match input.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, input),
        };
        let inner = quoted.strip_prefix(b"\"").ok_or(InvalidEntityTag)?;
        let end = inner
            .iter()
            .position(|&byte| !is_tag_byte(byte))
            .ok_or(InvalidEntityTag)?;
        if inner[end] != b'"' {
            return Err(InvalidEntityTag);
        }
        Ok((
            Self {
                weak,
                opaque: &inner[..end],
            },
            &inner[end + 1..],
        ))
    }

    /// What is between the quotes.
    pub fn opaque(self) -> &'a [u8] {
        self.opaque
    }

    /// Whether this is a weak tag.
    pub fn is_weak(self) -> bool {
        self.weak
    }

    /// Strong comparison (RFC 9110, 8.8.3.2): equal and both strong.
    pub fn strong_eq(self, other: EntityTagRef<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Weak comparison (RFC 9110, 8.8.3.2): equal, weak or not.
    pub fn weak_eq(self, other: EntityTagRef<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// An owned copy.
    pub fn to_owned(self) -> EntityTag {
        EntityTag::from_legal(self.weak, self.opaque)
    }
}

/// `etagc` of RFC 9110: visible characters but the quote, and obs-text.
fn is_tag_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff)
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Display for EntityTagRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.weak { "W/" } else { "" };
        write!(f, "{mark}\"{}\"", String::from_utf8_lossy(self.opaque))
    }
}

impl fmt::Debug for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityTag({self})")
    }
}

impl fmt::Debug for EntityTagRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityTagRef({self})")
    }
}

impl fmt::Display for InvalidEntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an entity tag: it must be quoted, without quotes, spaces or control characters inside")
    }
}

impl std::error::Error for InvalidEntityTag {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_and_illegal_forms() {
        let check = |text: &[u8], expected: Option<(bool, &[u8])>| {
            let parsed = EntityTagRef::parse(text)
                .ok()
                .map(|tag| (tag.is_weak(), tag.opaque()));
            assert_eq!(parsed, expected, "{:?}", String::from_utf8_lossy(text));
        };
        check(b"\"\"", Some((false, b"")));
        check(b"\"a,b\"", Some((false, b"a,b")));
        check(b"W/\"a\"", Some((true, b"a")));
        check(b"\"\xe9\xff\"", Some((false, b"\xe9\xff")));
        check(b"w/\"a\"", None);
        check(b"a", None);
        check(b"\"a", None);
        check(b"\"a b\"", None);
        check(b"\"a\x7f\"", None);
        check(b"\"a\"b", None);
        check(b"W/ \"a\"", None);
        check(b"", None);
    }

    #[test]
    fn comparison_table_of_rfc_9110() {
        let check = |a: &[u8], b: &[u8], strong: bool, weak: bool| {
            let (a, b) = (
                EntityTagRef::parse(a).unwrap(),
                EntityTagRef::parse(b).unwrap(),
            );
            assert_eq!((a.strong_eq(b), a.weak_eq(b)), (strong, weak), "{a} {b}");
        };
        check(b"W/\"1\"", b"W/\"1\"", false, true);
        check(b"W/\"1\"", b"W/\"2\"", false, false);
        check(b"W/\"1\"", b"\"1\"", false, true);
        check(b"\"1\"", b"\"1\"", true, true);
    }

    #[test]
    fn a_coding_changes_a_strong_tag_and_leaves_a_weak_one() {
        let strong = EntityTag::strong("v").unwrap();
        assert_eq!(
            strong.for_coding(Coding::Gzip, None).header_value(),
            "\"v-gzip\""
        );
        assert_eq!(
            strong
                .for_coding(Coding::Zstd, Some(Level::new(19)))
                .header_value(),
            "\"v-zstd.19\""
        );
        assert_eq!(strong.for_coding(Coding::Identity, None), strong);
        let weak = EntityTag::weak("v").unwrap();
        assert_eq!(weak.for_coding(Coding::Gzip, None), weak);
    }
}
