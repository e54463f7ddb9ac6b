//! What ends a run.

use std::net::SocketAddr;

use crate::BoxError;
use crate::place::{Place, UnknownPlace};
use crate::runtime::{FunctionError, RuntimeApi, RuntimeApiError};

/// A service could not begin, or not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The environment does not say where this is.
    #[error(transparent)]
    Place(#[from] UnknownPlace),
    /// The Runtime API cannot be used.
    #[error(transparent)]
    RuntimeApi(#[from] RuntimeApiError),
    /// Something around a snapshot failed; the platform was told.
    #[error("the function cannot go on from a snapshot")]
    SnapStart(#[source] BoxError),
    /// An address cannot be listened on.
    #[error("cannot listen on {0}: is another program using it? PORT chooses another one")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The operating system refuses to tell of signals.
    #[error("the operating system refuses to tell of signals")]
    Signals(#[source] std::io::Error),
}

impl RunError {
    pub(crate) fn snapshot(failed: crate::runtime::SnapshotFailed) -> Self {
        Self::SnapStart(failed.into())
    }
}

/// Tells the platform, where the process is on AWS Lambda, that the function cannot start, so that the reason is in the
/// function's log and in the error of whoever invoked it. Does nothing elsewhere. The process should end then.
///
/// Failures of what can be had later, such as a database that is down, are better left for the requests: a function that
/// does not start is started again and again.
///
/// # Errors
/// [`RunError`] when the platform cannot be told.
pub async fn report_failed_start(
    error: &(dyn std::error::Error + 'static),
) -> Result<(), RunError> {
    if let Place::Lambda(lambda) = Place::current()? {
        let mut api = RuntimeApi::new(&lambda.runtime_api)?;
        api.fail_init(&FunctionError::new("Paceline.FailedStart", error))
            .await?;
    }
    Ok(())
}
