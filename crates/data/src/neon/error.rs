//! Why there is no result.

use std::fmt;

use serde::Deserialize;

use crate::postgres::connect::TlsSetUpError;
use crate::vendor_http::HttpError;

/// What `PostgreSQL`, or who stands before it, says when it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NeonRefusal {
    /// What is wrong.
    pub message: String,
    /// The SQLSTATE, where it comes from the database.
    pub code: Option<String>,
    /// More of what is wrong.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
}

impl fmt::Display for NeonRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} ({code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for NeonRefusal {}

/// Statements gave no result. No message holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeonError {
    /// They were refused; of a batch nothing was done.
    #[error(transparent)]
    Refused(Box<NeonRefusal>),
    /// The result is larger than the interface gives (10 MiB): ask for fewer rows, or over TCP.
    #[error(
        "the result is larger than 10 MiB, which the HTTP interface does not give: ask for fewer rows, or over TCP"
    )]
    TooLarge,
    /// There was no answer.
    #[error("the database was not reached over HTTP, or did not answer")]
    Http(#[source] HttpError),
    /// The endpoint answered with a status that has no meaning for statements.
    #[error("the endpoint answered with the status {0}")]
    Status(u16),
    /// The answer is not the protocol's.
    #[error("the endpoint does not answer as Neon's does")]
    Protocol(#[source] Option<serde_json::Error>),
}

impl NeonError {
    /// Whether the database may be there in a moment.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Http(error) => !error.is_too_large(),
            Self::Status(status) => *status >= 500,
            Self::Refused(refusal) => refusal
                .code
                .as_deref()
                .is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
            Self::TooLarge | Self::Protocol(_) => false,
        }
    }
}

/// A database over HTTP cannot be used. The message names the endpoint and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeonOpenError {
    /// TLS cannot be set up.
    #[error("TLS to the endpoint cannot be set up")]
    Tls(#[from] TlsSetUpError),
    /// The schema cannot be read.
    #[error("the schema of the database cannot be read over HTTP")]
    Schema(#[from] NeonError),
    /// What the database says of its schema is not understood.
    #[error("what the database says of its schema is not understood")]
    Form(#[source] serde_json::Error),
}
