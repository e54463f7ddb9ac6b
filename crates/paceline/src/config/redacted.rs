//! A value that must not be shown.

use std::fmt;

/// Holds a secret so that neither `Debug` nor `Display` can print it.
///
/// Reaching the value takes a call that is easy to search for: [`Redacted::expose`].
///
/// ```
/// use paceline::config::Redacted;
///
/// let password = Redacted::new("hunter2".to_owned());
/// assert_eq!(format!("{password} {password:?}"), "[redacted] [redacted]");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps `secret`.
    pub const fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself. Do not log it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
