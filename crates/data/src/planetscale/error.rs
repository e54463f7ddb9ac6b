//! Why a statement has no result.

use std::fmt;

use http::StatusCode;

use super::refusal::Refusal;
use crate::vendor_http::HttpError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A statement has no result. The message names the server; it holds neither the password nor the statement.
#[derive(Debug)]
pub struct PlanetScaleError {
    server: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Http(HttpError),
    Refused(Refusal),
    Status(StatusCode, String),
    Unreadable(Source),
    Session(String),
    TransactionLimit,
}

impl PlanetScaleError {
    fn new(server: &str, kind: Kind) -> Self {
        Self {
            server: server.to_owned(),
            kind,
        }
    }

    pub(super) fn http(server: &str, error: HttpError) -> Self {
        Self::new(server, Kind::Http(error))
    }

    pub(super) fn refused(server: &str, refusal: Refusal) -> Self {
        Self::new(server, Kind::Refused(refusal))
    }

    pub(super) fn status(server: &str, status: StatusCode, said: String) -> Self {
        Self::new(server, Kind::Status(status, said))
    }

    pub(super) fn unreadable(server: &str, error: impl Into<Source>) -> Self {
        Self::new(server, Kind::Unreadable(error.into()))
    }

    pub(super) fn session(server: &str, problem: impl Into<String>) -> Self {
        Self::new(server, Kind::Session(problem.into()))
    }

    pub(super) fn transaction_limit(server: &str) -> Self {
        Self::new(server, Kind::TransactionLimit)
    }

    /// What the database said, when it was the database that refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.kind {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the user or the password is not known.
    pub fn is_unauthorized(&self) -> bool {
        matches!(
            self.kind,
            Kind::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _)
        )
    }

    /// Whether too much was asked for in too short a time (429).
    pub fn is_throttled(&self) -> bool {
        matches!(self.kind, Kind::Status(StatusCode::TOO_MANY_REQUESTS, _))
    }

    /// Whether the server cannot be reached or cannot answer now (5xx, and what has no connection).
    pub fn is_unavailable(&self) -> bool {
        match &self.kind {
            Kind::Http(error) => !error.is_late() && !error.is_too_large(),
            Kind::Status(status, _) => status.is_server_error(),
            _ => false,
        }
    }

    /// Whether the time was over before the answer was there.
    pub fn is_late(&self) -> bool {
        matches!(&self.kind, Kind::Http(error) if error.is_late())
    }

    /// Whether the answer has more rows, or more bytes, than are given or taken.
    pub fn is_too_large(&self) -> bool {
        match &self.kind {
            Kind::Http(error) => error.is_too_large(),
            Kind::Refused(refusal) => refusal.is_row_limit(),
            _ => false,
        }
    }

    /// Whether the transaction was open for too long. Nothing of it is stored.
    pub fn is_transaction_limit(&self) -> bool {
        match &self.kind {
            Kind::Refused(refusal) => refusal.is_transaction_limit(),
            Kind::TransactionLimit => true,
            _ => false,
        }
    }

    /// Whether the statement may have been carried out although there is no result. The database said no to what it
    /// refused; an answer that cannot be read came after the statement.
    pub fn may_have_happened(&self) -> bool {
        match &self.kind {
            Kind::Http(error) => error.was_sent(),
            Kind::Unreadable(_) => true,
            Kind::Status(status, _) => status.is_server_error(),
            Kind::Refused(_) | Kind::Session(_) | Kind::TransactionLimit => false,
        }
    }
}

impl fmt::Display for PlanetScaleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        match &self.kind {
            Kind::Http(_) => write!(f, "{server} gave no answer"),
            Kind::Refused(refusal) if refusal.is_row_limit() => write!(
                f,
                "the answer has more rows than PlanetScale gives at once (100,000): ask for fewer"
            ),
            Kind::Refused(_) => write!(f, "the database refused the statement"),
            Kind::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => write!(
                f,
                "{server} does not know the user or the password: make a new password for the branch"
            ),
            Kind::Status(StatusCode::TOO_MANY_REQUESTS, _) => {
                write!(f, "{server} is asked too often: try again later")
            }
            Kind::Status(status, said) if said.is_empty() => {
                write!(f, "{server} answered with the status {status}")
            }
            Kind::Status(status, said) => {
                write!(f, "{server} answered with the status {status}: {said}")
            }
            Kind::Unreadable(_) => write!(f, "the answer of {server} cannot be read"),
            Kind::Session(problem) => write!(f, "sessions of {server} cannot be used: {problem}"),
            Kind::TransactionLimit => write!(
                f,
                "the transaction was open for as long as PlanetScale lets it (20 s), and is undone"
            ),
        }
    }
}

impl std::error::Error for PlanetScaleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Http(error) => Some(error),
            Kind::Refused(refusal) => Some(refusal),
            Kind::Unreadable(error) => Some(error.as_ref()),
            Kind::Status(..) | Kind::Session(_) | Kind::TransactionLimit => None,
        }
    }
}
