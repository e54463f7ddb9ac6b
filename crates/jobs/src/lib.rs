//! Durable background jobs: queues and workers on an embedded store.
//!
//! A *job* is a name, a JSON payload and how to run it. A *producer* adds jobs to a [`Queue`]; an add that
//! returned is stored as durably as the engine's setting says. A [`Worker`] takes jobs under a *lease* and
//! runs a handler; only the holder of the lease can finish a job. Every job ends completed or visibly
//! failed. A handler runs at least once: again when it failed and has attempts left, or when its lease
//! ended because the process died, froze or was stopped.
//!
//! Names and meanings follow BullMQ where it has them; times are `Duration`s, states are enums.
//!
//! ```
//! use paceline_jobs::{Backoff, EngineHandle, Job, JobError, JobOptions, Queue, Shutdown, SqliteEngine, Worker};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("jobs.db");
//! let engine = EngineHandle::from(SqliteEngine::open(path)?);
//! let queue: Queue<String> = Queue::new(&engine, "emails")?;
//! let options = JobOptions::new().attempts(5).backoff(Backoff::exponential(Duration::from_secs(2)));
//! queue.add_with("welcome", &"ada@example.com".to_owned(), options).await?;
//!
//! let (done, delivered) = tokio::sync::oneshot::channel();
//! let done = std::sync::Mutex::new(Some(done));
//! let worker = Worker::builder(queue).concurrency(4).start(move |job: Job<String>| {
//!     let done = done.lock().unwrap().take();
//!     async move {
//!         if let Some(done) = done {
//!             let _ = done.send(job.data().clone());
//!         }
//!         Ok::<_, JobError>("sent")
//!     }
//! });
//! assert_eq!(delivered.await?, "ada@example.com");
//! worker.stop(Duration::from_secs(1)).await;
//! # Ok(())
//! # }
//! ```
//!
//! When *not* to use it: for work that must not be repeated and cannot tell that it was done before (a
//! crash between the work and its report repeats it), and on network file systems (refused).

mod clock;
mod deduplication;
pub mod engine;
mod error;
mod events;
mod flow;
mod limits;
mod names;
mod options;
mod options_record;
mod outbox;
mod outcome;
mod queue;
mod retention;
mod retry;
mod scheduler;
mod settings;
mod shutdown;
mod snapshot;
pub mod state;
mod transfer;
mod worker;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use deduplication::Deduplication;
#[cfg(feature = "redis")]
pub use engine::redis::{RedisEngine, RedisOptions};
pub use engine::{Added, Durability, Engine, EngineHandle, SqliteEngine, SqliteOptions};
pub use error::{AddError, EngineError, LeaseError, ManageError, OpenError, WaitError};
pub use events::{EventCursor, JobEvent, JobEventKind, QueueEvents, Received, UnknownCursor};
pub use flow::{AddedFlow, ChildFailure, Children, Flow, JobRef};
pub use limits::Limits;
pub use names::{Fingerprint, GroupName, InvalidName, JobId, LeaseToken, QueueName, SchedulerId};
pub use options::{IdempotencyKey, JobOptions, MAX_PRIORITY};
pub use outbox::{Outbox, OutboxEntry, OutboxRelay, OutboxStatus};
pub use outcome::{IntoJobError, IntoOutcome, JobError, Outcome};
pub use queue::{Queue, RawQueue};
pub use retention::Retention;
pub use retry::{Backoff, BackoffKind, MAX_BACKOFF};
pub use scheduler::{CatchUp, Schedule, Scheduler, SchedulerInfo};
pub use settings::{QueueSettings, StartLimit};
pub use shutdown::{Shutdown, StopDetails, Stopping};
pub use snapshot::{
    AttemptOutcome, AttemptRecord, JobPage, JobSnapshot, Page, QueueCounts, QueueInfo,
};
pub use state::State;
pub use transfer::{
    DeduplicationHold, Imported, JobRecord, LeftBehind, Transfer, TransferError, TransferReport,
};
pub use worker::{
    BatchBuilder, CancelReason, HandlerFn, Job, Worker, WorkerBuilder, WorkerHealth, handler_fn,
};

/// The driver that transactions for [`Queue::add_in`] come from: another version's would not fit.
pub use rusqlite;

/// The chapter on jobs, so that its examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/jobs.md")]
mod chapter {}
