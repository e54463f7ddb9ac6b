//! What can go wrong between a limit and its server.

use std::fmt;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why the server could not be asked.
#[derive(Debug)]
pub struct RedisFault(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    NoAnswer(Duration),
    Resting,
    Failed(RedisError),
    Strange(&'static str),
}

impl RedisFault {
    /// Whether no answer came within the deadline. What was asked may have been counted.
    pub fn is_no_answer(&self) -> bool {
        matches!(self.0, Kind::NoAnswer(_))
    }

    /// Whether it was not asked at all, because it failed too often just now.
    pub fn is_resting(&self) -> bool {
        matches!(self.0, Kind::Resting)
    }

    /// Whether another connection is needed.
    pub(super) fn breaks_connection(&self) -> bool {
        match &self.0 {
            Kind::NoAnswer(_) => true,
            Kind::Failed(error) => {
                error.kind() == ErrorKind::Io
                    || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
            }
            Kind::Resting | Kind::Strange(_) => false,
        }
    }
}

impl From<RedisError> for RedisFault {
    fn from(error: RedisError) -> Self {
        Self(Kind::Failed(error))
    }
}

impl fmt::Display for RedisFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::NoAnswer(deadline) => write!(f, "Redis did not answer within {deadline:?}"),
            Kind::Resting => f.write_str("Redis failed too often just now and is not asked"),
            Kind::Failed(_) => f.write_str("Redis cannot be asked"),
            Kind::Strange(what) => write!(f, "Redis answered something else than {what}"),
        }
    }
}

impl std::error::Error for RedisFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Failed(error) => Some(error),
            _ => None,
        }
    }
}
