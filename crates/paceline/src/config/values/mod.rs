//! Strings with a meaning: durations, sizes, addresses, networks, paths. Pure functions.

mod address;
mod measure;
mod path;

pub(super) use address::{address, host, network, optional_address};
pub(super) use measure::{duration, positive_duration, size};
pub(super) use path::{absolute_path, route, segment};

/// Why a string is not what its key needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) expected: String,
    pub(super) suggestion: Option<String>,
    /// Whether the string may hold a password: then it is not shown.
    pub(super) conceals: bool,
}

impl Invalid {
    pub(super) fn expected(expected: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            suggestion: None,
            conceals: false,
        }
    }

    /// Says that the string may hold a password.
    pub(super) fn concealed(mut self) -> Self {
        self.conceals = true;
        self
    }

    /// Adds the string to write instead.
    pub(super) fn instead(mut self, text: impl AsRef<str>) -> Self {
        self.suggestion = Some(format!("write \"{}\"", text.as_ref()));
        self
    }

    pub(super) fn because(mut self, sentence: impl Into<String>) -> Self {
        self.suggestion = Some(sentence.into());
        self
    }
}

/// Takes any text that is not empty.
pub(super) fn name(text: &str) -> Result<String, Invalid> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Invalid::expected("a name, not an empty text"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
pub(in crate::config) mod checks {
    use std::fmt::Debug;

    use super::Invalid;

    /// Checks one string: `Ok` is what it means, `Err` the suggestion given instead.
    pub(in super::super) fn check<T: PartialEq + Debug>(
        parse: impl Fn(&str) -> Result<T, Invalid>,
        text: &str,
        expected: Result<T, Option<&str>>,
    ) {
        let found = parse(text).map_err(|invalid| invalid.suggestion);
        let expected =
            expected.map_err(|wanted| wanted.map(|wanted| format!("write \"{wanted}\"")));
        assert_eq!(found, expected, "{text:?}");
    }
}
