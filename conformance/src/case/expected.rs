//! What is expected of an answer. What is not named is not looked at, but for the body of a 200: it must be whole.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The expectations of one step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// Any of these; 200 by default.
    pub status: Vec<u16>,
    /// The content coding, any of these; `identity` is none.
    pub coding: Vec<String>,
    /// What the decoded body must be.
    pub body: Option<BodyExpected>,
    /// What `Content-Length` must say.
    pub length: Option<LengthExpected>,
    /// `Content-Length`, where there is one, must be the number of bytes that came in that step.
    pub length_of: Option<usize>,
    /// Whether `Vary` must cover `Accept-Encoding`; when it must, it names it once.
    pub vary: Option<bool>,
    /// Names that `Vary` must have besides, in lower case.
    pub names_in_vary: Vec<String>,
    /// Fields with their exact values, several lines joined by `, `.
    pub fields: BTreeMap<String, String>,
    /// Fields that must be there.
    pub has: Vec<String>,
    /// Fields that must not be there.
    pub lacks: Vec<String>,
    /// Fields that must be as in an earlier step, by its number; absent in both is the same.
    pub same: BTreeMap<String, usize>,
    /// What the tag must be.
    pub tag: Option<TagExpected>,
    /// The tag must not be the same strong one as in that step.
    pub tag_not_shared_with: Option<usize>,
    /// Text that must be readable while the origin pauses, that is within 1.5 seconds.
    pub seen: Option<String>,
    /// Whether the transfer must break off (`true`) or end properly (`false`).
    pub broken: Option<bool>,
    /// How often the origin must have acted on this request.
    pub writes: Option<u64>,
    /// An answer below 400 if and only if the origin acted.
    pub agrees_with_writes: bool,
    /// The bytes sent must not be more than those of the origin's body.
    pub not_larger: bool,
}

/// What the decoded body must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyExpected {
    /// The origin's, byte for byte.
    Whole,
    /// Nothing.
    Empty,
    /// A beginning of the origin's, not empty.
    Beginning,
    /// Anything.
    Any,
}

/// What `Content-Length` must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthExpected {
    /// The number of bytes that came.
    Exact,
    /// Nothing.
    Absent,
}

/// What the tag must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagExpected {
    /// `"..."`.
    Strong,
    /// `W/"..."`.
    Weak,
    /// Either.
    Any,
}
