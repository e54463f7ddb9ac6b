//! Changes to many jobs at once. Each is done in bounded steps, so that neither the store nor other
//! callers are held up; jobs that come in meanwhile may or may not be touched.

use std::time::Duration;

use super::Queue;
use crate::engine::BulkAction;
use crate::error::ManageError;
use crate::state::State;

impl<T> Queue<T> {
    /// Makes every failed job start over; says how many did.
    ///
    /// # Errors
    /// [`ManageError`]; steps done before stand.
    pub async fn retry_all(&self) -> Result<u64, ManageError> {
        self.all(BulkAction::RetryFailed).await
    }

    /// Makes every delayed job ready now; says how many there were.
    ///
    /// # Errors
    /// [`ManageError`]; steps done before stand.
    pub async fn promote_all(&self) -> Result<u64, ManageError> {
        self.all(BulkAction::PromoteDelayed).await
    }

    /// Removes every job that is ready, and the delayed ones if asked for; says how many.
    ///
    /// # Errors
    /// [`ManageError`]; steps done before stand.
    pub async fn drain(&self, delayed: bool) -> Result<u64, ManageError> {
        self.all(BulkAction::Drain { delayed }).await
    }

    /// Removes jobs of one state that got there (those not finished: were added) at least `older_than` ago;
    /// says how many.
    ///
    /// # Errors
    /// [`ManageError`]: active jobs cannot be cleaned. Steps done before stand.
    pub async fn clean(&self, state: State, older_than: Duration) -> Result<u64, ManageError> {
        self.all(BulkAction::Clean { state, older_than }).await
    }

    /// Removes the queue and all its jobs; says how many. The queue must be paused, and have no active jobs
    /// unless forced (their workers lose the leases).
    ///
    /// # Errors
    /// [`ManageError`]; steps done before stand.
    pub async fn obliterate(&self, force: bool) -> Result<u64, ManageError> {
        self.all(BulkAction::Obliterate { force }).await
    }

    async fn all(&self, action: BulkAction) -> Result<u64, ManageError> {
        let mut done = 0;
        loop {
            let step = self.engine.bulk(&self.name, action).await?;
            done += step.done;
            if !step.more {
                return Ok(done);
            }
        }
    }
}
