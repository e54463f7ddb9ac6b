//! Why there is no answer.

use std::fmt;
use std::io;
use std::time::Duration;

use super::retry::Failure;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A server gave no answer that can be used. The message names the server; it holds nothing of the request.
#[derive(Debug)]
pub struct HttpError {
    server: String,
    kind: Kind,
    source: Option<Source>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No connection.
    Connect { may_pass: bool },
    /// TLS failed.
    Tls { may_pass: bool },
    /// A kept connection was closed before anything left.
    Unsent,
    /// The connection was lost after the request had left, at least in part.
    Lost,
    /// The answer broke off, or is not HTTP.
    Broken,
    /// The deadline is over; whether anything had left.
    Late { sent: bool },
    /// The answer is larger than the caller takes.
    TooLarge { most: usize },
}

impl HttpError {
    fn new(server: &str, kind: Kind, source: Option<Source>) -> Self {
        Self {
            server: server.to_owned(),
            kind,
            source,
        }
    }

    pub(super) fn connect(server: &str, error: io::Error) -> Self {
        let may_pass = crate::postgres::connect::passing_io(error.kind());
        Self::new(server, Kind::Connect { may_pass }, Some(Box::new(error)))
    }

    pub(super) fn tls(server: &str, error: io::Error) -> Self {
        // A server that dies in the handshake comes back; a bad certificate stays bad.
        let may_pass = crate::postgres::connect::passing_io(error.kind());
        Self::new(server, Kind::Tls { may_pass }, Some(Box::new(error)))
    }

    pub(super) fn unsent(server: &str, error: hyper::Error) -> Self {
        Self::new(server, Kind::Unsent, Some(Box::new(error)))
    }

    pub(super) fn lost(server: &str, error: hyper::Error) -> Self {
        let kind = if error.is_parse() {
            Kind::Broken
        } else {
            Kind::Lost
        };
        Self::new(server, kind, Some(Box::new(error)))
    }

    pub(super) fn broken(server: &str, error: hyper::Error) -> Self {
        Self::new(server, Kind::Broken, Some(Box::new(error)))
    }

    pub(super) fn late(server: &str, sent: bool) -> Self {
        Self::new(server, Kind::Late { sent }, None)
    }

    pub(super) fn too_large(server: &str, most: usize) -> Self {
        Self::new(server, Kind::TooLarge { most }, None)
    }

    /// What it means for another attempt; nothing when there can be none.
    pub(super) fn failure(&self) -> Option<Failure> {
        match self.kind {
            Kind::Connect { may_pass } | Kind::Tls { may_pass } => {
                Some(Failure::NotConnected { may_pass })
            }
            Kind::Unsent => Some(Failure::Unsent),
            Kind::Lost => Some(Failure::Lost),
            Kind::Broken | Kind::Late { .. } | Kind::TooLarge { .. } => None,
        }
    }

    /// Whether there was no connection to the server.
    pub fn is_connect(&self) -> bool {
        matches!(
            self.kind,
            Kind::Connect { .. } | Kind::Tls { .. } | Kind::Unsent
        )
    }

    /// Whether the deadline was over before the answer was there.
    pub fn is_late(&self) -> bool {
        matches!(self.kind, Kind::Late { .. })
    }

    /// Whether the answer was larger than is taken.
    pub fn is_too_large(&self) -> bool {
        matches!(self.kind, Kind::TooLarge { .. })
    }

    /// Whether something of the request had left, so that the server may have acted on it.
    pub fn was_sent(&self) -> bool {
        match self.kind {
            Kind::Connect { .. } | Kind::Tls { .. } | Kind::Unsent => false,
            Kind::Late { sent } => sent,
            Kind::Lost | Kind::Broken | Kind::TooLarge { .. } => true,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = &self.server;
        match self.kind {
            Kind::Connect { .. } => write!(f, "{server} cannot be reached"),
            Kind::Tls { .. } => write!(f, "no secure connection to {server}"),
            Kind::Unsent => write!(f, "{server} closed the connection before the request"),
            Kind::Lost => write!(
                f,
                "the connection to {server} was lost after the request had left: it may have been carried out"
            ),
            Kind::Broken => write!(f, "the answer of {server} broke off or is not HTTP"),
            Kind::Late { sent: false } => write!(f, "no connection to {server} in time"),
            Kind::Late { sent: true } => write!(
                f,
                "{server} did not answer in time: the request may have been carried out"
            ),
            Kind::TooLarge { most } => {
                write!(f, "the answer of {server} is larger than {most} bytes")
            }
        }
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The time limit of one attempt to connect.
pub(super) const CONNECT: Duration = Duration::from_secs(3);
