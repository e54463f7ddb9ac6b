//! The name of an event.

use std::fmt;
use std::sync::Arc;

/// The `event` field: what a browser listens for. Cheap to clone.
///
/// Not empty, and without line ends and NUL, which would end the field: a name made from a user's text
/// cannot forge another field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName(Arc<str>);

impl EventName {
    /// The name `text`.
    pub fn new(text: &str) -> Result<Self, InvalidEventName> {
        if text.is_empty() || text.contains(['\r', '\n', '\0']) {
            return Err(InvalidEventName {
                text: text.to_owned(),
            });
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that is empty or has a line end or NUL in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEventName {
    text: String,
}

impl fmt::Display for InvalidEventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the event name {:?} is empty or has a line end or NUL in it",
            self.text
        )
    }
}

impl std::error::Error for InvalidEventName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_line() {
        for wrong in ["", "a\nb", "a\rb", "a\0b", "\n"] {
            assert!(EventName::new(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            EventName::new("änderung: 1").unwrap().as_str(),
            "änderung: 1"
        );
    }
}
