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
        let there = self.candidates(action).await?;
        let mut done = 0;
        loop {
            let step = self.engine.bulk(&self.name, action).await?;
            done += step.done;
            if !step.more || there.is_some_and(|there| done >= there) {
                return Ok(done);
            }
        }
    }

    /// How many jobs there are to do it to. The oldest come first, so those that come in meanwhile (a retried job
    /// that fails again, say) cannot keep it going for ever. None: until nothing is left.
    async fn candidates(&self, action: BulkAction) -> Result<Option<u64>, ManageError> {
        let counts = self.info().await?.map(|info| info.counts);
        let counts = counts.unwrap_or_default();
        Ok(match action {
            BulkAction::RetryFailed => Some(counts.failed),
            BulkAction::PromoteDelayed => Some(counts.delayed),
            BulkAction::Drain { .. } => Some(counts.not_started()),
            BulkAction::Clean { state, .. } => Some(counts.of(state)),
            BulkAction::Obliterate { .. } => None,
        })
    }
}
