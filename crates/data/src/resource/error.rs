//! Mistakes in what a configuration asks for.

use std::fmt;

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceErrorKind {
    /// There is no such table, column or key.
    Unknown,
    /// The same name twice.
    Duplicate,
    /// The name means something else in a URL.
    Reserved,
    /// The value cannot be used here.
    Invalid,
}

/// One mistake: which resource, which key of its configuration, what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("resources.{resource}.{key}: {message}")]
pub struct ResourceError {
    /// The resource's name.
    pub resource: String,
    /// The key of its configuration, such as `table` or `relations.author`.
    pub key: String,
    /// The value that is wrong, as it was given.
    pub value: String,
    /// What kind of mistake.
    pub kind: ResourceErrorKind,
    /// What is wrong and what was expected, as a sentence.
    pub message: String,
}

/// The name among `known` that is most like `name`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long name is cut: the work stays small whatever a request sends.
    let name: String = name.chars().take(64).flat_map(char::to_lowercase).collect();
    let scored = known.into_iter().map(|candidate| {
        let lower = candidate.to_lowercase();
        (strsim::jaro_winkler(&name, &lower), candidate)
    });
    scored
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// " Did you mean x?", or nothing.
pub(crate) struct DidYouMean<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, " Did you mean {name:?}?"),
            None => Ok(()),
        }
    }
}
