//! What a handler answers.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
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
    /// To be taken up again when the job's children are done (at once when there are none left); no attempt
    /// is used. Children are added with [`Job::add_children`](crate::Job::add_children).
    WaitForChildren,
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
    wait: Option<Duration>,
}

impl JobError {
    /// Another attempt may help.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: true,
            wait: None,
        }
    }

    /// No further attempt will help: the job fails now, whatever attempts are left.
    pub fn unrecoverable(message: impl Into<String>) -> Self {
        Self {
            retryable: false,
            ..Self::retryable(message)
        }
    }

    /// The wait before the next attempt, if there is one, instead of the worker's and the job's backoff; at
    /// most [`MAX_BACKOFF`](crate::MAX_BACKOFF).
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Whether another attempt may help.
    pub const fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The wait asked for before the next attempt.
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// The same, with what it happened in.
    pub(crate) fn within(self, what: &str) -> Self {
        Self {
            message: format!("{what}: {}", self.message),
            ..self
        }
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
        Self::retryable(with_causes(&error))
    }
}

/// A boxed error, as tower's layers pass errors on.
type BoxError = Box<dyn Error + Send + Sync>;

/// A [`JobError`] on its way through layers that box errors: it comes out as it went in.
#[derive(Debug)]
struct Boxed(JobError);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Boxed {}

impl From<JobError> for BoxError {
    fn from(error: JobError) -> Self {
        Box::new(Boxed(error))
    }
}

/// What the service of a worker may fail with.
pub trait IntoJobError: Send {
    /// The error meant.
    fn into_job_error(self) -> JobError;
}

impl IntoJobError for JobError {
    fn into_job_error(self) -> JobError {
        self
    }
}

impl IntoJobError for Infallible {
    fn into_job_error(self) -> JobError {
        match self {}
    }
}

/// A boxed [`JobError`] is that error again; any other one is retryable.
impl IntoJobError for BoxError {
    fn into_job_error(self) -> JobError {
        match self.downcast::<Boxed>() {
            Ok(boxed) => boxed.0,
            Err(other) => JobError::retryable(with_causes(&*other)),
        }
    }
}

/// An error with its causes, as one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
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

    #[test]
    fn an_error_passes_through_a_box_unchanged() {
        let error = JobError::unrecoverable("no").retry_after(Duration::from_secs(3));
        assert_eq!(BoxError::from(error.clone()).into_job_error(), error);
        let other: BoxError = "elapsed".into();
        assert_eq!(other.into_job_error(), JobError::retryable("elapsed"));
    }
}
