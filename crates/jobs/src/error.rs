//! What can go wrong, by the operation it happens to. `Display` gives one level; causes go through `source()`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::names::{InvalidName, JobId, QueueName};
use crate::state::State;

/// The store did not do its work. The caller may try again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Other processes held the write lock for longer than the engine waits.
    #[error("the job store stayed locked by another process for {0:?}")]
    Busy(Duration),
    /// The database refused: disk full, I/O error, damaged file.
    #[error("the job store failed")]
    Storage(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The store does not have what was asked for.
    #[error("{0} are not supported by this job store")]
    Unsupported(&'static str),
    /// The store has no groups, and a job or a bound of a queue asks for them.
    #[error(
        "groups are not supported by this job store: leave the group of the job and the group bounds of the queue out, or keep the queue in a store in a file (`sqlite:FILE`)"
    )]
    NoGroups,
    /// The engine was stopped.
    #[error("the job engine is stopped")]
    Stopped,
    /// The engine has a defect: an operation panicked. Nothing of it was stored.
    #[error("the job engine failed internally")]
    Internal,
    /// A stored value cannot be what the engine wrote.
    #[error("the job store holds an unreadable {0}")]
    Damaged(&'static str),
}

impl From<rusqlite::Error> for EngineError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}

/// An engine could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// SQLite before 3.51.3 can lose pages when several connections write.
    #[error("SQLite {found} is too old: 3.51.3 or later is needed")]
    SqliteTooOld {
        /// The version linked in.
        found: &'static str,
    },
    /// File locks cannot be trusted there.
    #[error("{} lies on a network file system ({kind}); use a local disk", path.display())]
    NetworkFileSystem {
        /// The file.
        path: PathBuf,
        /// The file system's kind.
        kind: String,
    },
    /// A later version of this crate wrote the file.
    #[error(
        "the job store has schema version {found}, this program knows up to {known}: use a newer program"
    )]
    SchemaTooNew {
        /// The file's version.
        found: i64,
        /// The latest version known here.
        known: i64,
    },
    /// A version of this crate wrote the file that was never released.
    #[error(
        "the job store has schema version {found} of an unreleased program: move the file away"
    )]
    SchemaTooOld {
        /// The file's version.
        found: i64,
    },
    /// The file is an SQLite database of something else.
    #[error("{} is a database of another application; give the job store a file of its own (or open it as shared)", path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
    },
    /// Jobs cannot be stored there.
    #[error("{} is read-only: the job store needs to write to the file and its folder", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be opened or prepared.
    #[error("the job store {} could not be opened", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: EngineError,
    },
    /// The address of the server, or what it leads to, cannot be used.
    #[error("the job store's address cannot be used: {0}")]
    Address(String),
    /// The server did not answer, or refused.
    #[error("the job store's server cannot be used")]
    Server(#[source] EngineError),
    /// The server lacks commands that are needed.
    #[error("Redis {found} is too old: 6.2 or later is needed")]
    ServerTooOld {
        /// The server's version.
        found: String,
    },
    /// A thread could not be started.
    #[error("a thread of the job engine could not be started")]
    Thread(#[source] std::io::Error),
}

/// A job was not added; nothing was stored.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The queue holds as many unstarted jobs as it may.
    #[error("the queue {queue} is full: {max} jobs are waiting")]
    QueueFull {
        /// The queue.
        queue: QueueName,
        /// Its bound.
        max: u64,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request (job {job})")]
    IdempotencyConflict {
        /// The job of the first request.
        job: JobId,
    },
    /// The payload or the name is larger than the engine accepts.
    #[error("the {what} has {size} bytes, at most {max} are accepted")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        max: usize,
    },
    /// More jobs at once than the engine accepts.
    #[error("{count} jobs at once, at most {max} are accepted")]
    TooMany {
        /// How many.
        count: usize,
        /// The bound.
        max: usize,
    },
    /// The payload has no JSON form.
    #[error("the payload cannot be written as JSON")]
    Encode(#[source] Arc<serde_json::Error>),
    /// A name or key cannot be used.
    #[error("{0}")]
    Invalid(#[from] InvalidName),
    /// The flow has too many jobs or levels.
    #[error("the flow has {count} {what}, at most {max} are accepted")]
    FlowTooLarge {
        /// Jobs or levels.
        what: &'static str,
        /// How many.
        count: usize,
        /// The bound.
        max: usize,
    },
    /// An option does not go together with where the job stands in its flow, or with another option.
    #[error("{0}")]
    OptionConflict(&'static str),
    /// The child is there already, under its custom id, and another job waits for it.
    #[error(
        "the job {id} of the queue {queue} is a child of another job, which waits for it: give the new child another id"
    )]
    ChildTaken {
        /// The child's queue.
        queue: QueueName,
        /// The child.
        id: JobId,
    },
    /// The lease of the job that adds children ended.
    #[error("the lease on the job was lost")]
    LeaseLost,
    /// The schedule cannot be used.
    #[error("the schedule cannot be used: {0}")]
    Schedule(String),
    /// The queue has as many schedulers as it may.
    #[error("the queue has {max} schedulers, which is the most it may have")]
    TooManySchedulers {
        /// The bound.
        max: usize,
    },
    /// The transaction is not on the job store's file.
    #[error(
        "the transaction is on another database than the job store {}: open the job store on the application's own file, as shared",
        path.display()
    )]
    OtherDatabase {
        /// The job store's file.
        path: PathBuf,
    },
    /// The store did not do its work.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A job could not be waited for.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// There is no such job.
    #[error("there is no such job")]
    NotFound,
    /// The job is gone. A job that is not kept once it has ended is gone at once.
    #[error("the job is gone: {}", ended.map_or("it was removed before it ended", how_it_ended))]
    Removed {
        /// How it ended, if that was heard of.
        ended: Option<State>,
    },
    /// The job did not end in time; it goes on.
    #[error("the job has not ended within {0:?}; it is {1}")]
    TimedOut(Duration, State),
    /// The store did not do its work.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn how_it_ended(state: State) -> &'static str {
    match state {
        State::Completed => "it completed, and completed jobs of its kind are not kept",
        State::Failed => "it failed, and failed jobs of its kind are not kept",
        _ => "it was removed before it ended",
    }
}

/// A job or a queue could not be changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ManageError {
    /// There is no such job.
    #[error("there is no such job")]
    NotFound,
    /// The job is not in a state where this can be done.
    #[error("the job is {0}")]
    WrongState(State),
    /// The queue has to be paused first.
    #[error("the queue is not paused: pause it first")]
    NotPaused,
    /// The queue has active jobs.
    #[error("the queue has {0} active jobs: let them end, or force it")]
    HasActive(u64),
    /// The job belongs to a scheduler, which makes and removes it.
    #[error("the job belongs to the scheduler {0}: change that instead")]
    BelongsToScheduler(String),
    /// The value is larger than the engine accepts.
    #[error("the {what} has {size} bytes, at most {max} are accepted")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        max: usize,
    },
    /// The payload has no JSON form.
    #[error("the payload cannot be written as JSON")]
    Encode(#[source] Arc<serde_json::Error>),
    /// The store did not do its work.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A lease holder's word about its job was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The lease ended: another worker has the job, or it was recovered.
    #[error("the lease on the job was lost")]
    LeaseLost,
    /// The value is larger than the engine accepts.
    #[error("the {what} has {size} bytes, at most {max} are accepted")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        max: usize,
    },
    /// The value has no JSON form.
    #[error("the value cannot be written as JSON")]
    Encode(#[source] Arc<serde_json::Error>),
    /// The store did not do its work.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
