//! What can go wrong between a limit and its server.

use std::fmt;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::slots::Endpoint;

/// Why the server could not be asked.
#[derive(Debug, Clone)]
pub struct RedisFault(pub(super) Kind);

#[derive(Debug, Clone)]
pub(super) enum Kind {
    NoAnswer(Duration),
    Resting,
    /// More wait for it than there is room for.
    Crowded,
    /// The runtime that asked is gone.
    Stopped,
    Failed(RedisError),
    /// It answered something else.
    Strange,
    /// Nodes of a cluster sent the call from one to the other.
    Lost,
}

/// Where a call has to go instead.
pub(super) enum Redirect {
    /// From now on.
    Moved(Endpoint),
    /// This once.
    Ask(Endpoint),
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

    pub(super) fn strange() -> Self {
        Self(Kind::Strange)
    }

    pub(super) fn lost() -> Self {
        Self(Kind::Lost)
    }

    /// Whether a node of a cluster refused, before it counted, what it does not have all keys of.
    pub(super) fn is_of_cluster(&self) -> bool {
        let Kind::Failed(error) = &self.0 else {
            return false;
        };
        matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot
            )
        )
    }

    /// Where a node of a cluster says the call has to go.
    pub(super) fn redirect(&self) -> Option<Redirect> {
        let Kind::Failed(error) = &self.0 else {
            return None;
        };
        let (address, _) = error.redirect_node()?;
        let endpoint = Endpoint::parse(address)?;
        Some(if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) {
            Redirect::Ask(endpoint)
        } else {
            Redirect::Moved(endpoint)
        })
    }

    /// Whether another connection is needed.
    pub(super) fn breaks_connection(&self) -> bool {
        match &self.0 {
            Kind::NoAnswer(_) => true,
            Kind::Failed(error) => {
                error.kind() == ErrorKind::Io
                    || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
            }
            Kind::Resting | Kind::Crowded | Kind::Stopped | Kind::Strange | Kind::Lost => false,
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
            Kind::Crowded => f.write_str("Redis does not keep up with what it is asked"),
            Kind::Stopped => f.write_str("asking Redis was stopped with its runtime"),
            Kind::Strange => {
                f.write_str("Redis answered something else than what it was asked for")
            }
            Kind::Lost => f.write_str("the nodes of the Redis cluster do not agree who has a key"),
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
