//! Why no token can be made.

use std::borrow::Cow;
use std::error::Error;

/// No token for Amazon RDS can be made. The message says what is missing, and holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("no token for Amazon RDS can be made: {what}")]
pub struct NoCredentials {
    what: Cow<'static, str>,
    may_pass: bool,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl NoCredentials {
    pub(super) fn because(what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            may_pass: false,
            source: None,
        }
    }

    /// All places were looked into; the last one was the machine.
    pub(super) fn nowhere(where_else: &str, machine: Self) -> Self {
        Self {
            source: Some(Box::new(machine)),
            ..Self::because(format!("{where_else} the machine gave none"))
        }
    }

    pub(super) fn region() -> Self {
        Self::because("neither the host's name nor AWS_REGION tells the region")
    }

    /// An endpoint that was asked, and how it answered.
    pub(super) fn answer(from: &str, what: &str) -> Self {
        Self::because(format!("{from} was asked for credentials, and {what}"))
    }

    /// The same, where asking again may help.
    pub(super) fn passing(self) -> Self {
        Self {
            may_pass: true,
            ..self
        }
    }

    /// Whether the same may succeed in a moment.
    pub(in crate::postgres::connect) fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// The same, when there is a cause.
    pub(super) fn failed(from: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::answer(from, "did not answer")
        }
    }
}
