//! What a handler answers.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

/// How a handler ended, if not in an error. A plain value of type `R` means `Completed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<R> {
    /// Done, with a result that is stored.
    Completed(R),
    /// To be taken up again after a while; no attempt is used.
    Postponed(Duration),
}

/// What a handler may return in its `Ok`.
pub trait IntoOutcome {
    /// What is stored as the job's result.
    type Result: Serialize;

    /// The outcome meant.
    fn into_outcome(self) -> Outcome<Self::Result>;
}

impl<R: Serialize> IntoOutcome for R {
    type Result = R;

    fn into_outcome(self) -> Outcome<R> {
        Outcome::Completed(self)
    }
}

impl<R: Serialize> IntoOutcome for Outcome<R> {
    type Result = R;

    fn into_outcome(self) -> Self {
        self
    }
}

/// Why a handler failed. Any error becomes a retryable one with `?`; its causes are kept in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    message: String,
    retryable: bool,
}

impl JobError {
    /// Another attempt may help.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: true,
        }
    }

    /// No further attempt will help: the job fails now, whatever attempts are left.
    pub fn unrecoverable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: false,
        }
    }

    /// Whether another attempt may help.
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }

    pub(crate) fn into_message(self) -> String {
        self.message
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Error> From<E> for JobError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            let _ = write!(message, ": {next}");
            cause = next.source();
        }
        Self::retryable(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EngineError;

    #[test]
    fn an_error_keeps_its_causes() {
        let error = EngineError::from(rusqlite::Error::InvalidQuery);
        let failed = JobError::from(error);
        assert!(failed.is_retryable());
        assert_eq!(
            failed.to_string(),
            "the job store failed: Query is not read-only"
        );
    }
}
