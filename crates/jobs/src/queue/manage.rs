//! Looking at jobs and changing what becomes of them.

use super::Queue;
use crate::error::{EngineError, ManageError};
use crate::events::QueueEvents;
use crate::names::JobId;
use crate::snapshot::{JobPage, JobSnapshot, Page, QueueInfo};
use crate::state::State;

impl<T> Queue<T> {
    /// A job as it stands; `None` when there is none of this id.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn get(&self, id: &JobId) -> Result<Option<JobSnapshot>, EngineError> {
        self.engine.get(&self.name, id).await
    }

    /// Jobs of one state.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn list(&self, state: State, page: Page) -> Result<JobPage, EngineError> {
        self.engine.list(&self.name, state, page).await
    }

    /// Whether it is paused, and its jobs by state; `None` when nothing was ever added to it nor set.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn info(&self) -> Result<Option<QueueInfo>, EngineError> {
        self.engine.info(&self.name).await
    }

    /// Makes a failed job start over.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn retry(&self, id: &JobId) -> Result<(), ManageError> {
        self.engine.retry(&self.name, id).await
    }

    /// Makes a delayed job ready now.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn promote(&self, id: &JobId) -> Result<(), ManageError> {
        self.engine.promote(&self.name, id).await
    }

    /// Removes a job that is not active.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn remove(&self, id: &JobId) -> Result<(), ManageError> {
        self.engine.remove(&self.name, id).await
    }

    /// Keeps workers from taking jobs. Stored: it holds over restarts and for every process.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn pause(&self) -> Result<(), EngineError> {
        self.engine.set_paused(&self.name, true).await
    }

    /// Lets workers take jobs again.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn resume(&self) -> Result<(), EngineError> {
        self.engine.set_paused(&self.name, false).await
    }

    /// The events of this queue from now on.
    pub fn events(&self) -> QueueEvents {
        self.engine.events(Some(self.name.clone()))
    }
}
