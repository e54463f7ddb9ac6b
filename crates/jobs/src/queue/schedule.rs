//! The schedulers and the bounds of a queue.

use super::Queue;
use crate::error::{AddError, EngineError};
use crate::names::SchedulerId;
use crate::scheduler::{Scheduler, SchedulerInfo};
use crate::settings::QueueSettings;

impl<T> Queue<T> {
    /// Stores a scheduler, in place of the one with its id. The count of the jobs made is kept; the next slot
    /// stays when the schedule did.
    ///
    /// # Errors
    /// [`AddError`]; nothing is stored then.
    pub async fn upsert_scheduler(&self, scheduler: Scheduler) -> Result<SchedulerInfo, AddError> {
        self.engine.upsert_scheduler(&self.name, scheduler).await
    }

    /// Removes a scheduler and its job that did not start yet; says whether there was one.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn remove_scheduler(&self, id: &SchedulerId) -> Result<bool, EngineError> {
        self.engine.remove_scheduler(&self.name, id).await
    }

    /// The queue's schedulers, by id.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn schedulers(&self) -> Result<Vec<SchedulerInfo>, EngineError> {
        self.engine.schedulers(&self.name).await
    }

    /// Sets the queue's bounds, all of them. Stored: they hold over restarts and for every process.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn set_settings(&self, settings: QueueSettings) -> Result<(), EngineError> {
        self.engine.set_settings(&self.name, settings).await
    }
}
