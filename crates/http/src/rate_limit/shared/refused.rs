//! Why a request does not pass.

use std::fmt;
use std::time::Duration;

use super::super::store::redis::RedisFault;
use super::super::{Exceeded, HeaderDialect};
use crate::concurrency_limit::REDUCED_CAPACITY;
use crate::problem::Problem;

/// A request does not pass.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// A limit is used up: 429.
    Exceeded(Exceeded),
    /// The counts cannot be asked, and a policy is closed then: 503.
    Unavailable(StoreUnavailable),
}

impl Refused {
    /// The answer, its fields in this dialect.
    pub fn into_problem(
        self,
        dialect: HeaderDialect,
        unix_seconds: impl FnOnce() -> u64,
    ) -> Problem {
        match self {
            Self::Exceeded(exceeded) => exceeded.into_problem(dialect, unix_seconds),
            Self::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceeded(exceeded) => exceeded.fmt(f),
            Self::Unavailable(unavailable) => unavailable.fmt(f),
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Exceeded(_) => None,
            Self::Unavailable(unavailable) => unavailable.source(),
        }
    }
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

/// The server with the counts cannot be asked, and a policy lets nobody pass without.
///
/// `Into<Problem>` makes it a 503 that says nothing of the cause.
#[derive(Debug)]
pub struct StoreUnavailable {
    pub(super) policy: String,
    pub(super) fault: RedisFault,
    pub(super) retry_after: Duration,
}

impl StoreUnavailable {
    /// The policy that is closed.
    pub fn policy(&self) -> &str {
        &self.policy
    }
}

impl fmt::Display for StoreUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit `{}` cannot be checked", self.policy)
    }
}

impl std::error::Error for StoreUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.fault)
    }
}

impl From<StoreUnavailable> for Problem {
    fn from(unavailable: StoreUnavailable) -> Self {
        let detail =
            "This cannot be done right now. Wait as long as Retry-After says, then try again.";
        Self::unavailable(unavailable.retry_after, detail).with_type(REDUCED_CAPACITY)
    }
}
