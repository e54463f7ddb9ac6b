//! What can go wrong between the engine and its server.

use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::EngineError;

/// Why the server did not do its work. Stands as the source of an [`EngineError::Storage`].
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RedisFault {
    /// No answer came. What was asked for may have been done.
    #[error("Redis did not answer within {0:?}; what was asked for may have been done")]
    NoAnswer(Duration),
    /// The connection broke or could not be made.
    #[error("the connection to Redis failed: {0}")]
    Connection(#[source] RedisError),
    /// The server is a replica: a failover is under way, or the address is wrong.
    #[error(
        "Redis is a read-only replica: wait for the failover, or give the address of the primary"
    )]
    ReadOnly,
    /// The server has no memory left.
    #[error("Redis is out of memory: raise maxmemory, or keep fewer finished jobs")]
    OutOfMemory,
    /// The user or password is wrong, or lacks a permission.
    #[error("Redis refused: check user, password and ACL ({0})")]
    NotPermitted(#[source] RedisError),
    /// The server answered with another error.
    #[error("Redis answered with an error: {0}")]
    Server(#[source] RedisError),
}

impl From<RedisError> for RedisFault {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io => Self::Connection(error),
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::NotPermitted(error)
            }
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::ReadOnly,
            _ => match error.code() {
                Some("OOM") => Self::OutOfMemory,
                Some("NOAUTH" | "WRONGPASS") => Self::NotPermitted(error),
                // A script reports the error of a command inside its own text.
                _ if error.to_string().contains("-OOM ") => Self::OutOfMemory,
                _ if error.to_string().contains("-READONLY ") => Self::ReadOnly,
                _ => Self::Server(error),
            },
        }
    }
}

impl From<RedisFault> for EngineError {
    fn from(fault: RedisFault) -> Self {
        Self::Storage(Arc::new(fault))
    }
}

impl RedisFault {
    /// Whether another connection is needed.
    pub(super) const fn breaks_connection(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer(_) | Self::Connection(_) | Self::ReadOnly
        )
    }
}
