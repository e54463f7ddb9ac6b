//! What can go wrong between the engine and its server.

use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::untrusted::untrusted;
use crate::error::EngineError;

/// Why the server did not do its work. Stands as the source of an [`EngineError::Storage`].
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RedisFault {
    /// No answer came. What was asked for may have been done.
    #[error("Redis did not answer within {0:?}; what was asked for may have been done")]
    NoAnswer(Duration),
    /// The connection broke or could not be made.
    #[error("the connection to Redis failed")]
    Connection(#[source] RedisError),
    /// The server is not the one it should be, or cannot prove it.
    #[error("{0}")]
    Untrusted(String),
    /// The server is a replica: a failover is under way, or the address is wrong.
    #[error(
        "Redis is a read-only replica: wait for the failover, or give the address of the primary"
    )]
    ReadOnly,
    /// The server wants its changes copied, and too few replicas follow it.
    #[error("Redis refuses changes while too few replicas follow it (min-replicas-to-write)")]
    TooFewReplicas,
    /// The server has no memory left.
    #[error("Redis is out of memory: raise maxmemory, or keep fewer finished jobs")]
    OutOfMemory,
    /// The user or password is wrong, or lacks a permission.
    #[error("Redis refused: check user, password and ACL")]
    NotPermitted(#[source] RedisError),
    /// The server reads its data from disk.
    #[error("Redis is reading its data from disk: it will answer when that is done")]
    Loading,
    /// Another node of the cluster has the queue now.
    #[error("another node of the cluster has the queue now")]
    Moved(#[source] RedisError),
    /// The queue's slot is on its way to another node of the cluster. Nothing can be done with a part of its
    /// keys.
    #[error(
        "the queue is being moved to another node of the cluster: its jobs go on when that is done"
    )]
    SlotMoving,
    /// The cluster does not serve the queue's slot.
    #[error("the cluster does not work: look at `redis-cli --cluster check`")]
    ClusterDown(#[source] RedisError),
    /// No node serves the slot.
    #[error("no node of the cluster has slot {0}: look at `redis-cli --cluster check`")]
    NoOwner(u16),
    /// No node tells how the cluster stands.
    #[error("no node of the cluster answered")]
    NoNode(#[source] Box<RedisFault>),
    /// No sentinel tells where the master is.
    #[error("no sentinel answered")]
    NoSentinel(#[source] Box<RedisFault>),
    /// The sentinels watch over other masters.
    #[error(
        "the sentinels know no master {master:?}: check the name at the end of the address (they know: {known})"
    )]
    UnknownMaster {
        /// The name in the address.
        master: String,
        /// The names of those they know.
        known: String,
    },
    /// The sentinels name a server that is no master: a failover is under way.
    #[error("the sentinels name {server}, which is no master: a failover is under way")]
    NotMaster {
        /// The server.
        server: String,
    },
    /// One server of several cannot be used.
    #[error("{server} cannot be used")]
    At {
        /// The server.
        server: String,
        /// Why.
        source: Box<RedisFault>,
    },
    /// The address cannot be used with what it leads to.
    #[error("{0}")]
    Unusable(String),
    /// The server answered with another error.
    #[error("Redis answered with an error")]
    Server(#[source] RedisError),
}

impl From<RedisError> for RedisFault {
    fn from(error: RedisError) -> Self {
        if let Some(reason) = untrusted(&error) {
            return Self::Untrusted(reason);
        }
        match error.kind() {
            ErrorKind::Io => Self::Connection(error),
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::NotPermitted(error)
            }
            ErrorKind::Server(kind) => match kind {
                ServerErrorKind::ReadOnly => Self::ReadOnly,
                ServerErrorKind::BusyLoading => Self::Loading,
                ServerErrorKind::Moved => Self::Moved(error),
                ServerErrorKind::Ask | ServerErrorKind::TryAgain => Self::SlotMoving,
                ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown => {
                    Self::ClusterDown(error)
                }
                _ => Self::told(error),
            },
            _ => Self::told(error),
        }
    }
}

impl From<RedisFault> for EngineError {
    fn from(fault: RedisFault) -> Self {
        Self::Storage(Arc::new(fault))
    }
}

impl RedisFault {
    fn told(error: RedisError) -> Self {
        match error.code() {
            Some("OOM") => Self::OutOfMemory,
            Some("NOREPLICAS") => Self::TooFewReplicas,
            Some("NOAUTH" | "WRONGPASS") => Self::NotPermitted(error),
            // A script reports the error of a command inside its own text.
            _ if error.to_string().contains("-OOM ") => Self::OutOfMemory,
            _ if error.to_string().contains("-READONLY ") => Self::ReadOnly,
            _ if error.to_string().contains("NOREPLICAS ") => Self::TooFewReplicas,
            _ => Self::Server(error),
        }
    }

    /// Whether another connection is needed.
    pub(super) const fn breaks_connection(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer(_) | Self::Connection(_) | Self::ReadOnly | Self::TooFewReplicas
        )
    }

    /// Whether the server said that it did nothing, and will do it soon.
    pub(super) const fn passes(&self) -> bool {
        matches!(self, Self::Loading | Self::SlotMoving)
    }

    /// Whether nothing was done, and a server that moves may be found elsewhere now.
    pub(super) const fn was_refused_here(&self) -> bool {
        matches!(
            self,
            Self::Moved(_)
                | Self::ReadOnly
                | Self::TooFewReplicas
                | Self::ClusterDown(_)
                | Self::NoOwner(_)
                | Self::NotMaster { .. }
        )
    }

    /// Whether a server that moves may be elsewhere now.
    pub(super) const fn may_be_elsewhere(&self) -> bool {
        self.was_refused_here() || self.breaks_connection()
    }

    /// Whether a server that moves may let itself be connected to soon.
    pub(super) fn may_mend(&self) -> bool {
        match self {
            Self::At { source, .. } | Self::NoNode(source) | Self::NoSentinel(source) => {
                source.may_mend()
            }
            fault => fault.may_be_elsewhere() || fault.passes(),
        }
    }
}
