//! The seam between queues and workers on one side and a store on the other. [`SqliteEngine`] is the
//! embedded store; another engine implements [`Engine`] and passes the same conformance suite.
//!
//! An engine keeps these promises: what returned is stored as durably as the engine is set to; every
//! transition is the one [`crate::state::decide`] gives; only the holder of a lease (token and start
//! number) can renew, report on or finish a job.

mod request;
pub mod sqlite;
mod wake;

pub use request::{
    Added, ClaimRequest, Claimed, ClaimedJob, Ending, Finish, Lease, NewJob, SweepReport,
};
pub use sqlite::{Durability, SqliteEngine, SqliteOptions};
pub use wake::Listener;
pub(crate) use wake::WakeBoard;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::error::{AddError, EngineError, LeaseError, ManageError};
use crate::events::QueueEvents;
use crate::limits::Limits;
use crate::names::{InvalidName, JobId, QueueName};
use crate::queue::{Queue, RawQueue};
use crate::shutdown::Shutdown;
use crate::snapshot::{JobPage, JobSnapshot, Page, QueueInfo};
use crate::state::State;

/// An operation under way.
pub type Operation<'a, T, E = EngineError> =
    Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// A store of jobs. Each call answers after the store has it; each wait is bounded.
pub trait Engine: Shutdown + fmt::Debug + Send + Sync + 'static {
    /// Adds jobs, all or none. `max_not_started` bounds the queue's unstarted jobs.
    fn add(
        &self,
        queue: &QueueName,
        jobs: Vec<NewJob>,
        max_not_started: Option<u64>,
    ) -> Operation<'_, Vec<Added>, AddError>;

    /// Takes ready jobs under a lease. Promotes delayed jobs that are due first.
    fn claim(&self, request: ClaimRequest) -> Operation<'_, Claimed>;

    /// Makes leases run for `lease_for` from now; says for each, in order, whether it still holds.
    fn renew(&self, leases: Vec<Lease>, lease_for: Duration) -> Operation<'_, Vec<bool>>;

    /// Ends attempts; says for each, in order, where the job stands now. One refused ending does not
    /// touch the others.
    fn finish(&self, endings: Vec<Finish>) -> Operation<'_, Vec<Result<State, LeaseError>>>;

    /// Stores what the handler reports.
    fn progress(&self, lease: &Lease, value: Box<RawValue>) -> Operation<'_, (), LeaseError>;

    /// A job as it stands.
    fn get(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<JobSnapshot>>;

    /// Jobs of one state.
    fn list(&self, queue: &QueueName, state: State, page: Page) -> Operation<'_, JobPage>;

    /// One queue; `None` when nothing was ever added to it nor set.
    fn info(&self, queue: &QueueName) -> Operation<'_, Option<QueueInfo>>;

    /// Every known queue, by name, at most 10,000.
    fn queues(&self) -> Operation<'_, Vec<QueueInfo>>;

    /// Makes a failed job start over.
    fn retry(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError>;

    /// Makes a delayed job ready now.
    fn promote(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError>;

    /// Removes a job that is not active.
    fn remove(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError>;

    /// Keeps workers from taking jobs, or lets them again.
    fn set_paused(&self, queue: &QueueName, paused: bool) -> Operation<'_, ()>;

    /// One round of upkeep, which the engine also does by itself: recovers ended leases, removes finished
    /// jobs and idempotency keys that outlived their time. Bounded; returns what it did.
    fn sweep(&self) -> Operation<'_, SweepReport>;

    /// Wakes when jobs of the queue may be ready.
    fn listen(&self, queue: &QueueName) -> Listener;

    /// Subscribes to events of one queue, or of all.
    fn events(&self, queue: Option<QueueName>) -> QueueEvents;

    /// The engine's present.
    fn now(&self) -> Timestamp;

    /// What the engine accepts.
    fn limits(&self) -> &Limits;
}

/// A shared engine of any kind: what queues and workers are made from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EngineHandle(Arc<dyn Engine>);

impl EngineHandle {
    /// Shares `engine`.
    pub fn new(engine: impl Engine) -> Self {
        Self(Arc::new(engine))
    }

    /// The queue called `name`, with payloads as raw JSON.
    pub fn queue(&self, name: impl AsRef<str>) -> Result<RawQueue, InvalidName> {
        Queue::new(self.clone(), name)
    }

    /// The queue called `name`, with payloads of type `T`.
    pub fn typed_queue<T>(&self, name: impl AsRef<str>) -> Result<Queue<T>, InvalidName> {
        Queue::new(self.clone(), name)
    }
}

impl std::ops::Deref for EngineHandle {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl From<SqliteEngine> for EngineHandle {
    fn from(engine: SqliteEngine) -> Self {
        Self::new(engine)
    }
}

impl From<&SqliteEngine> for EngineHandle {
    fn from(engine: &SqliteEngine) -> Self {
        Self::new(engine.clone())
    }
}

impl From<&Self> for EngineHandle {
    fn from(engine: &Self) -> Self {
        engine.clone()
    }
}
