//! Queues as producers and operators see them.

mod add;
mod bulk;
mod manage;
mod schedule;
mod transactional;
mod wait;

use std::fmt;
use std::marker::PhantomData;

use serde_json::value::RawValue;

use crate::engine::EngineHandle;
use crate::names::{InvalidName, QueueName};

/// A queue with payloads as raw JSON: for programs that pass jobs on without knowing their type.
pub type RawQueue = Queue<Box<RawValue>>;

/// A queue of jobs with payloads of type `T`. Cheap to clone.
///
/// The type is this program's view: the engine stores JSON, and a payload that does not decode as `T`
/// fails the job with the decoding error and stays readable as it is.
///
/// ```
/// use paceline_jobs::{EngineHandle, Queue, SqliteEngine};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Greeting { name: String }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("jobs.db");
/// let engine = EngineHandle::from(SqliteEngine::open(path)?);
/// let queue: Queue<Greeting> = Queue::new(&engine, "greetings")?;
/// let added = queue.add("greet", &Greeting { name: "Ada".into() }).await?;
/// assert!(queue.get(&added.id).await?.is_some());
/// # Ok(())
/// # }
/// ```
pub struct Queue<T> {
    engine: EngineHandle,
    name: QueueName,
    max_not_started: Option<u64>,
    payload: PhantomData<fn(T) -> T>,
}

impl<T> Queue<T> {
    /// The queue called `name`. It comes into being with its first job.
    ///
    /// # Errors
    /// When the name cannot be used.
    pub fn new(
        engine: impl Into<EngineHandle>,
        name: impl AsRef<str>,
    ) -> Result<Self, InvalidName> {
        Ok(Self {
            engine: engine.into(),
            name: QueueName::new(name)?,
            max_not_started: None,
            payload: PhantomData,
        })
    }

    /// Refuses adds while this many jobs have not started. Default: no bound.
    #[must_use]
    pub fn max_waiting(mut self, jobs: u64) -> Self {
        self.max_not_started = Some(jobs);
        self
    }

    /// Its name.
    pub fn name(&self) -> &QueueName {
        &self.name
    }

    /// Where its jobs are stored.
    pub fn engine(&self) -> &EngineHandle {
        &self.engine
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            name: self.name.clone(),
            max_not_started: self.max_not_started,
            payload: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.name)
            .field("max_not_started", &self.max_not_started)
            .finish_non_exhaustive()
    }
}
