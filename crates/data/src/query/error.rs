//! What is wrong with a request's parameters.

use std::fmt;

use crate::resource::{DidYouMean, nearest};

/// A stable name for each kind of mistake, for problem documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryErrorCode {
    /// Bad percent-encoding, or not UTF-8.
    Encoding,
    /// Longer, deeper or more than is accepted.
    TooMuch,
    /// No parameter of this name here.
    UnknownParameter,
    /// The same parameter twice.
    RepeatedParameter,
    /// Two parameters that exclude each other.
    ConflictingParameters,
    /// No such field, in a value.
    UnknownField,
    /// A page number that is not one.
    Page,
    /// A page size that is not one, or above the maximum.
    Limit,
    /// A cursor that is damaged, forged, or from another query.
    Cursor,
    /// A sort order that cannot be read.
    Sort,
    /// A filter that cannot be read, or a value of the wrong kind.
    Filter,
    /// A selection that cannot be read.
    Fields,
    /// A count mode that does not exist.
    Count,
    /// A search or sort that would read a whole large table.
    Unindexed,
}

impl QueryErrorCode {
    /// The code as it stands in a problem document: lower-case words joined by hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encoding => "invalid-encoding",
            Self::TooMuch => "query-too-large",
            Self::UnknownParameter => "unknown-parameter",
            Self::RepeatedParameter => "repeated-parameter",
            Self::ConflictingParameters => "conflicting-parameters",
            Self::UnknownField => "unknown-field",
            Self::Page => "invalid-page",
            Self::Limit => "invalid-limit",
            Self::Cursor => "invalid-cursor",
            Self::Sort => "invalid-sort",
            Self::Filter => "invalid-filter",
            Self::Fields => "invalid-fields",
            Self::Count => "invalid-count",
            Self::Unindexed => "unindexed",
        }
    }
}

impl fmt::Display for QueryErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mistake in one parameter. Always the client's: status 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct QueryError {
    /// What kind of mistake.
    pub code: QueryErrorCode,
    /// The parameter's name as the client wrote it, decoded; cut when it is long.
    pub parameter: String,
    /// A sentence that says what to do.
    pub detail: String,
}

/// Longest piece of a request that is repeated in an error.
const LONGEST_ECHO: usize = 100;

impl QueryError {
    pub(crate) fn new(code: QueryErrorCode, parameter: &str, detail: impl Into<String>) -> Self {
        Self {
            code,
            parameter: cut(parameter),
            detail: detail.into(),
        }
    }

    /// "x is not known here", the same for what is hidden and for what does not exist.
    pub(crate) fn unknown<'a>(
        code: QueryErrorCode,
        parameter: &str,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let near = nearest(name, known);
        Self::new(
            code,
            parameter,
            format!(
                "There is no {what} {:?} here.{}",
                cut(name),
                DidYouMean(near)
            ),
        )
    }
}

/// Text short enough to be repeated in an error.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ECHO) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
