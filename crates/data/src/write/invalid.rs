//! What is wrong with a body.

use std::fmt;

/// The most mistakes reported for one body: a body of a megabyte can hold many more.
pub(super) const MOST_ERRORS: usize = 100;

/// A stable name for each kind of mistake in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldErrorCode {
    /// The body is JSON, but not an object.
    NotAnObject,
    /// No such field.
    UnknownField,
    /// The same field twice.
    Duplicate,
    /// A JSON type the field does not take.
    WrongType,
    /// `null` where the schema forbids it.
    Null,
    /// A required field is missing.
    Missing,
    /// A field that the database computes, or the key of a row that exists.
    ReadOnly,
    /// Longer than the schema declares.
    TooLong,
    /// A number the field cannot hold.
    OutOfRange,
    /// Text that is not what the field holds: a date, base64.
    Format,
}

impl FieldErrorCode {
    /// The code as it stands in a problem document: lower-case words joined by hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAnObject => "not-an-object",
            Self::UnknownField => "unknown-field",
            Self::Duplicate => "duplicate-field",
            Self::WrongType => "wrong-type",
            Self::Null => "null",
            Self::Missing => "missing-field",
            Self::ReadOnly => "read-only",
            Self::TooLong => "too-long",
            Self::OutOfRange => "out-of-range",
            Self::Format => "invalid-format",
        }
    }
}

/// One mistake in a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FieldError {
    /// Where it is: a JSON pointer (RFC 6901), empty for the whole body.
    pub pointer: String,
    /// What kind of mistake.
    pub code: FieldErrorCode,
    /// What is wrong and what was expected, as a sentence.
    pub message: String,
}

impl FieldError {
    pub(super) fn at(field: &str, code: FieldErrorCode, message: String) -> Self {
        let pointer = format!("/{}", field.replace('~', "~0").replace('/', "~1"));
        Self {
            pointer,
            code,
            message,
        }
    }
}

/// The body is not JSON.
#[derive(Debug, thiserror::Error)]
#[error("the body is not JSON")]
pub struct MalformedBody(#[source] pub(super) serde_json::Error);

/// A body that cannot be written.
#[derive(Debug)]
pub enum BodyError {
    /// It is not JSON.
    Malformed(MalformedBody),
    /// It is JSON with these mistakes: all of them, up to 100.
    Invalid(Vec<FieldError>),
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => malformed.fmt(formatter),
            Self::Invalid(errors) => {
                write!(formatter, "the body has {} invalid fields", errors.len())
            }
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(malformed) => malformed.source(),
            Self::Invalid(errors) => errors.first().map(|error| error as _),
        }
    }
}
