//! Looking at jobs and changing what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::to_raw_value;

use super::Queue;
use crate::engine::{JobChange, LogPage, Search};
use crate::error::{EngineError, ManageError};
use crate::events::{EventCursor, QueueEvents, UnknownCursor};
use crate::flow::Children;
use crate::names::JobId;
use crate::options::MAX_PRIORITY;
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

    /// Asks the worker of an active job to give it up: its handler is cancelled and the job fails for good.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn cancel(&self, id: &JobId) -> Result<(), ManageError> {
        self.engine.cancel(&self.name, id).await
    }

    /// Gives a job that has not started another priority, at most [`MAX_PRIORITY`](crate::MAX_PRIORITY); 0 is
    /// none.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn change_priority(&self, id: &JobId, priority: u32) -> Result<(), ManageError> {
        let change = JobChange::Priority(priority.min(MAX_PRIORITY));
        self.engine.change(&self.name, id, change).await
    }

    /// Makes a delayed job due after `delay` from now on.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn change_delay(&self, id: &JobId, delay: Duration) -> Result<(), ManageError> {
        let change = JobChange::Delay(delay);
        self.engine.change(&self.name, id, change).await
    }

    /// How the children of a job of a flow stand; `None` when there is no such job.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn children(&self, id: &JobId) -> Result<Option<Children>, EngineError> {
        self.engine.children(&self.name, id).await
    }

    /// Lines of a job's log, oldest first.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn logs(&self, id: &JobId, page: Page) -> Result<LogPage, EngineError> {
        self.engine.logs(&self.name, id, page).await
    }

    /// Finds jobs, newest first, among the newest 100,000 of the queue.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn search(&self, search: Search, page: Page) -> Result<JobPage, EngineError> {
        self.engine.search(&self.name, search, page).await
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

    /// The events of this queue after the one at `cursor`. What was dropped since is told as
    /// [`Received::Lagged`](crate::Received::Lagged) or [`Received::Gap`](crate::Received::Gap).
    ///
    /// # Errors
    /// When the cursor is of another run of the embedded engine, of another store or of another queue.
    pub fn events_since(&self, cursor: &EventCursor) -> Result<QueueEvents, UnknownCursor> {
        self.engine.events_since(Some(self.name.clone()), cursor)
    }
}

impl<T: Serialize> Queue<T> {
    /// Gives a job that has not ended another payload. An attempt under way keeps the old one.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn update_data(&self, id: &JobId, payload: &T) -> Result<(), ManageError> {
        let data = to_raw_value(payload).map_err(|error| ManageError::Encode(Arc::new(error)))?;
        let change = JobChange::Data(data);
        self.engine.change(&self.name, id, change).await
    }
}
