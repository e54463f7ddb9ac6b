//! One of several mistakes reported in one answer.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Source;

/// One entry of a problem's `errors`: what is wrong, where, and what is expected.
///
/// ```
/// use paceline_http::problem::Violation;
///
/// let violation = Violation::at_pointer("/price_cents", "not-a-number", "Give a whole number of cents.");
/// assert_eq!(
///     serde_json::to_string(&violation).unwrap(),
///     r#"{"code":"not-a-number","detail":"Give a whole number of cents.","pointer":"/price_cents"}"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    code: &'static str,
    detail: Cow<'static, str>,
    source: Source,
}

impl Violation {
    /// A mistake in the member of the body at this JSON Pointer (RFC 6901).
    pub fn at_pointer(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            detail: detail.into(),
            source: Source::Pointer(pointer.into()),
        }
    }

    /// A mistake in this query parameter.
    pub fn in_parameter(
        name: impl Into<String>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            detail: detail.into(),
            source: Source::Parameter(name.into()),
        }
    }

    /// The stable kebab-case code of the mistake.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence that says what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Where the mistake is.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("code", self.code)?;
        map.serialize_entry("detail", &self.detail)?;
        self.source.serialize_into(&mut map)?;
        map.end()
    }
}
