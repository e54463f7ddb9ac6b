//! What is done around a snapshot: `SnapStart` starts a function once and goes on from copies of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::api::RuntimeApi;
use super::{FunctionError, RuntimeApiError};
use crate::BoxError;
use crate::panic::caught;

/// Something that must not be the same in two copies of a process: connections, random numbers, secrets with an age.
///
/// Both run only where the platform takes snapshots. Several are told in the order they were given after a restore, and in
/// the opposite order before the snapshot.
pub trait SnapStart: Send + Sync + 'static {
    /// Before the snapshot: close what others hold the other end of. An error ends the start.
    fn before_snapshot(&self) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + '_>>;

    /// In each copy, before its first event: draw new randomness, open what was closed. An error ends the copy.
    fn after_restore(&self) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + '_>>;
}

/// The start cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Api(#[from] RuntimeApiError),
    #[error("what is to be done before a snapshot failed")]
    Before(#[source] BoxError),
    #[error("what is to be done after a restore failed")]
    After(#[source] BoxError),
}

/// Lets the snapshot be taken and returns in a copy.
pub(super) async fn pass(
    api: &mut RuntimeApi,
    resources: &[Arc<dyn SnapStart>],
) -> Result<(), Failed> {
    for resource in resources.iter().rev() {
        let done = caught(async { resource.before_snapshot().await }).await;
        if let Err(error) = done.map_err(BoxError::from).flatten() {
            let failed = Failed::Before(error);
            api.fail_init(&FunctionError::new("Paceline.BeforeSnapshot", &failed))
                .await?;
            return Err(failed);
        }
    }
    let restored = api.restored().await;
    // The other end of it stayed where the snapshot was taken.
    api.client.reset();
    restored?;
    for resource in resources {
        let done = caught(async { resource.after_restore().await }).await;
        if let Err(error) = done.map_err(BoxError::from).flatten() {
            let failed = Failed::After(error);
            api.fail_restore(&FunctionError::new("Paceline.AfterRestore", &failed))
                .await?;
            return Err(failed);
        }
    }
    Ok(())
}
