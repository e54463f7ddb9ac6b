//! The seam between queues and workers on one side and a store on the other. [`SqliteEngine`] is the
//! embedded store; another engine implements [`Engine`] and passes the same conformance suite.
//!
//! An engine keeps these promises: what returned is stored as durably as the engine is set to; every
//! transition is the one [`crate::state::decide`] gives; only the holder of a lease (token and start
//! number) can renew, report on or finish a job.

pub(crate) mod checks;
#[cfg(feature = "redis")]
pub mod redis;
mod request;
pub mod sqlite;
mod wake;

pub use request::{
    Added, BulkAction, BulkStep, ClaimRequest, Claimed, ClaimedJob, Ending, Finish, JobChange,
    Lease, LogPage, NewJob, Renewal, Search, SweepReport,
};
pub use sqlite::{Durability, SqliteEngine, SqliteOptions};
pub(crate) use wake::WakeBoard;
pub use wake::{CancelListener, Listener};

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::error::{AddError, EngineError, LeaseError, ManageError};
use crate::events::{EventCursor, QueueEvents, UnknownCursor};
use crate::flow::{AddedFlow, Children, Flow};
use crate::limits::Limits;
use crate::names::{InvalidName, JobId, QueueName, SchedulerId};
use crate::queue::{Queue, RawQueue};
use crate::scheduler::{Scheduler, SchedulerInfo};
use crate::settings::QueueSettings;
use crate::shutdown::Shutdown;
use crate::snapshot::{JobPage, JobSnapshot, Page, QueueInfo};
use crate::state::State;
use crate::transfer::{Imported, JobRecord};

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

    /// Makes leases run for `lease_for` from now; says for each, in order, how it stands.
    fn renew(&self, leases: Vec<Lease>, lease_for: Duration) -> Operation<'_, Vec<Renewal>>;

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

    /// Adds a tree of jobs, all or none.
    fn add_flow(&self, flow: Flow) -> Operation<'_, AddedFlow, AddError> {
        let _ = flow;
        unsupported("flows")
    }

    /// Adds children to the job under `lease`, which may then end its attempt with
    /// [`Ending::WaitForChildren`].
    fn add_children(
        &self,
        lease: &Lease,
        children: Vec<Flow>,
    ) -> Operation<'_, Vec<AddedFlow>, AddError> {
        let _ = (lease, children);
        unsupported("flows")
    }

    /// How the children of a job stand; `None` when there is no such job. At most 10,000 of each kind.
    fn children(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<Children>> {
        let _ = (queue, id);
        unsupported("flows")
    }

    /// Appends a line to the job's log.
    fn log(&self, lease: &Lease, line: String) -> Operation<'_, (), LeaseError> {
        let _ = (lease, line);
        unsupported("logs")
    }

    /// Lines of a job's log, oldest first.
    fn logs(&self, queue: &QueueName, id: &JobId, page: Page) -> Operation<'_, LogPage> {
        let _ = (queue, id, page);
        unsupported("logs")
    }

    /// Finds jobs, newest first. Looks at a bounded number of them (the embedded engine: at the newest 100,000 of
    /// the queue, as far as they are among the newest 1,000,000 of the store); `total` is how many of those fit.
    fn search(&self, queue: &QueueName, search: Search, page: Page) -> Operation<'_, JobPage> {
        let _ = (queue, search, page);
        unsupported("searches")
    }

    /// Changes a job that waits.
    fn change(
        &self,
        queue: &QueueName,
        id: &JobId,
        change: JobChange,
    ) -> Operation<'_, (), ManageError> {
        let _ = (queue, id, change);
        unsupported("changes of jobs")
    }

    /// Asks the worker of an active job to give it up; the job fails for good.
    fn cancel(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        let _ = (queue, id);
        unsupported("cancellations")
    }

    /// One bounded step of a change to many jobs.
    fn bulk(&self, queue: &QueueName, action: BulkAction) -> Operation<'_, BulkStep, ManageError> {
        let _ = (queue, action);
        unsupported("bulk actions")
    }

    /// Sets a queue's bounds.
    fn set_settings(&self, queue: &QueueName, settings: QueueSettings) -> Operation<'_, ()> {
        let _ = (queue, settings);
        unsupported("queue settings")
    }

    /// Stores a scheduler, in place of the one with its id. The count of the jobs made is kept; the next slot
    /// stays when the schedule did.
    fn upsert_scheduler(
        &self,
        queue: &QueueName,
        scheduler: Scheduler,
    ) -> Operation<'_, SchedulerInfo, AddError> {
        let _ = (queue, scheduler);
        unsupported("schedulers")
    }

    /// Removes a scheduler; says whether there was one. Jobs it made that did not start yet go with it; one that
    /// is active ends as usual and has no successor.
    fn remove_scheduler(&self, queue: &QueueName, id: &SchedulerId) -> Operation<'_, bool> {
        let _ = (queue, id);
        unsupported("schedulers")
    }

    /// The schedulers of a queue, by id.
    fn schedulers(&self, queue: &QueueName) -> Operation<'_, Vec<SchedulerInfo>> {
        let _ = queue;
        unsupported("schedulers")
    }

    /// Jobs of one state (waiting, prioritized, delayed or failed) with everything another store needs of
    /// them, in the order of [`Engine::list`].
    fn export(&self, queue: &QueueName, state: State, page: Page) -> Operation<'_, Vec<JobRecord>> {
        let _ = (queue, state, page);
        unsupported("moves between stores")
    }

    /// Takes jobs of another store as they stand there, under their ids, in this order, all or none.
    fn import(
        &self,
        queue: &QueueName,
        jobs: Vec<JobRecord>,
    ) -> Operation<'_, Vec<Imported>, AddError> {
        let _ = (queue, jobs);
        unsupported("moves between stores")
    }

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

    /// Tells of cancellations in this process, so that its workers need not wait for the next renewal.
    fn listen_cancellations(&self, queue: &QueueName) -> CancelListener {
        let _ = queue;
        CancelListener::silent()
    }

    /// Subscribes to events of one queue, or of all.
    fn events(&self, queue: Option<QueueName>) -> QueueEvents;

    /// Goes on after the event at `cursor`. What was dropped since is told as
    /// [`Received::Lagged`](crate::Received::Lagged) or [`Received::Gap`](crate::Received::Gap). A cursor of
    /// another run of the embedded engine, of another store or queue is refused; on Redis also that of a single
    /// queue where all are wanted.
    fn events_since(
        &self,
        queue: Option<QueueName>,
        cursor: &EventCursor,
    ) -> Result<QueueEvents, UnknownCursor> {
        let _ = (queue, cursor);
        Err(UnknownCursor)
    }

    /// The engine itself, if it is the embedded one: some things need its file.
    fn as_sqlite(&self) -> Option<&SqliteEngine> {
        None
    }

    /// The engine's present.
    fn now(&self) -> Timestamp;

    /// What the engine accepts.
    fn limits(&self) -> &Limits;
}

/// The answer to what an engine does not have.
fn unsupported<'a, T, E>(what: &'static str) -> Operation<'a, T, E>
where
    T: Send + 'a,
    E: From<EngineError> + Send + 'a,
{
    Box::pin(std::future::ready(Err(
        EngineError::Unsupported(what).into()
    )))
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
