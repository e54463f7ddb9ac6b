//! How a worker is configured and started.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tower_service::Service;

use super::batch::{BatchSize, Batches};
use super::fetch::{Single, Starter};
use super::running::Shared;
use super::service::{BlockingFn, handler_fn};
use super::settings::Settings;
use super::{Job, Worker, fetch, finish, renew};
use crate::outcome::{IntoJobError, IntoOutcome, JobError};
use crate::queue::Queue;

/// A worker not yet started.
///
/// A handler is a closure ([`start`](Self::start)), a blocking function
/// ([`start_blocking`](Self::start_blocking)), a tower service ([`start_service`](Self::start_service)), or
/// takes several jobs at once ([`batch`](Self::batch)). It may run more than once for a job: when its lease
/// ended (crash, stop, freeze) or when it failed and has attempts left.
#[derive(Debug)]
#[must_use = "a worker does nothing until it is started"]
pub struct WorkerBuilder<T> {
    queue: Queue<T>,
    settings: Settings,
}

impl<T> WorkerBuilder<T> {
    pub(super) fn new(queue: Queue<T>) -> Self {
        Self {
            queue,
            settings: Settings::default(),
        }
    }

    /// Jobs at the same time. Default 1; 0 counts as 1. Can be changed while it runs
    /// ([`Worker::set_concurrency`]).
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.settings.concurrency = jobs.max(1);
        self
    }

    /// How long a job is held without a sign of life; renewed every third of it. Default 30 s, at
    /// least 100 ms. A crashed process's jobs on the same machine are freed at once all the same.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// The longest wait before the engine is asked for jobs although nothing woke the worker. Default 5 s.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.settings.poll = poll.max(Duration::from_millis(1));
        self
    }

    /// How long an attempt may take where the job says nothing
    /// ([`JobOptions::timeout`](crate::JobOptions::timeout)). Default: no bound, and the lease is renewed for
    /// as long as the handler runs.
    ///
    /// After it the handler is told to give up ([`Job::cancelled`]); one second later it is dropped at its next
    /// await, and the attempt fails, to be retried. A handler that never awaits cannot be ended: another second
    /// later the attempt fails without it, and its place stays taken until it returns.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// The wait before the next attempt, by the number of the attempt that failed (from 1) and its error.
    /// `None` leaves it to the job's own backoff; [`JobError::retry_after`] comes before it.
    ///
    /// ```
    /// # use paceline_jobs::{JobError, Queue, Worker};
    /// # use std::time::Duration;
    /// # fn configure(queue: Queue<String>) {
    /// let builder = Worker::builder(queue).backoff(|attempt, error: &JobError| {
    ///     let busy = error.to_string().contains("busy");
    ///     busy.then(|| Duration::from_secs(10) * attempt)
    /// });
    /// # drop(builder);
    /// # }
    /// ```
    pub fn backoff<F>(mut self, wait: F) -> Self
    where
        F: Fn(u32, &JobError) -> Option<Duration> + Send + Sync + 'static,
    {
        self.settings.backoff = Some(Arc::new(wait));
        self
    }

    /// Gives the handler up to `size` jobs at once. A batch of at least `min` jobs starts at once; a smaller
    /// one waits for company for at most `wait`, its jobs held meanwhile. `size` is at least 1, `min` lies in
    /// 1 to `size`. [`concurrency`](Self::concurrency) counts batches then.
    pub fn batch(self, size: usize, min: usize, wait: Duration) -> BatchBuilder<T> {
        let most = size.max(1);
        let enough = min.clamp(1, most);
        let size = BatchSize { most, enough, wait };
        BatchBuilder { worker: self, size }
    }

    fn launch(self, starter: impl Starter) -> Worker {
        let queue = &self.queue;
        let shared = Shared::new(queue.engine().clone(), queue.name().clone(), self.settings);
        let shared = Arc::new(shared);
        renew::start(&shared);
        tokio::spawn(finish::run(Arc::clone(&shared)));
        tokio::spawn(fetch::run(Arc::clone(&shared), starter));
        Worker { shared }
    }
}

impl<T: DeserializeOwned + Send + 'static> WorkerBuilder<T> {
    /// Starts it on the current Tokio runtime.
    ///
    /// The handler should stop early once [`Job::cancelled`] completes.
    ///
    /// # Panics
    /// Outside a Tokio runtime, or when no thread can be started.
    pub fn start<F, R, O>(self, handler: F) -> Worker
    where
        F: Fn(Job<T>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<O, JobError>> + Send + 'static,
        O: IntoOutcome + Send + 'static,
    {
        self.start_service(handler_fn(handler))
    }

    /// Starts it with a handler that blocks its thread: each job runs on the runtime's pool of blocking
    /// threads, as many at the same time as [`concurrency`](Self::concurrency) says.
    ///
    /// A thread cannot be ended from outside: a handler has to look at [`Job::is_cancelled`] itself. See
    /// [`timeout`](Self::timeout) for one that does not.
    ///
    /// # Panics
    /// Outside a Tokio runtime, or when no thread can be started.
    pub fn start_blocking<F, O>(self, handler: F) -> Worker
    where
        F: Fn(Job<T>) -> Result<O, JobError> + Send + Sync + 'static,
        O: IntoOutcome + Send + 'static,
    {
        self.start_service(BlockingFn::new(handler))
    }

    /// Starts it with a service, so that handlers compose with tower's layers. The service is cloned for each
    /// job; a job runs once its clone is ready, and holds its place while it waits for that.
    ///
    /// ```
    /// use paceline_jobs::{EngineHandle, Job, JobError, Queue, Shutdown, SqliteEngine, Worker, handler_fn};
    /// use std::time::Duration;
    /// use tower::ServiceBuilder;
    /// use tower::timeout::TimeoutLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let engine = EngineHandle::from(SqliteEngine::open(folder.path().join("jobs.db"))?);
    /// # let queue: Queue<String> = Queue::new(&engine, "emails")?;
    /// let service = ServiceBuilder::new()
    ///     .layer(TimeoutLayer::new(Duration::from_secs(20)))
    ///     .concurrency_limit(2)
    ///     .service(handler_fn(|job: Job<String>| async move {
    ///         Ok::<_, JobError>(job.data().len())
    ///     }));
    /// let worker = Worker::builder(queue).concurrency(8).start_service(service);
    /// # worker.stop(Duration::ZERO).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside a Tokio runtime, or when no thread can be started.
    pub fn start_service<S>(self, service: S) -> Worker
    where
        S: Service<Job<T>> + Clone + Send + 'static,
        S::Future: Send,
        S::Response: IntoOutcome,
        S::Error: IntoJobError,
    {
        self.launch(Single {
            service,
            payload: PhantomData,
        })
    }
}

/// A worker not yet started whose handler gets several jobs at once. Made by [`WorkerBuilder::batch`].
#[derive(Debug)]
#[must_use = "a worker does nothing until it is started"]
pub struct BatchBuilder<T> {
    worker: WorkerBuilder<T>,
    size: BatchSize,
}

impl<T: DeserializeOwned + Send + 'static> BatchBuilder<T> {
    /// Starts it on the current Tokio runtime.
    ///
    /// The handler answers one outcome a job, in the order it got them; each job ends on its own. An error
    /// for the whole, a panic, or another number of outcomes fails all of them. A job that is to be given up
    /// says so itself ([`Job::cancelled`]); the handler is dropped once all of its jobs are.
    ///
    /// ```
    /// # use paceline_jobs::{Job, JobError, Queue, Worker};
    /// # use std::time::Duration;
    /// # async fn insert(rows: &[&String]) -> Result<(), JobError> { Ok(()) }
    /// # fn start(queue: Queue<String>) -> Worker {
    /// Worker::builder(queue)
    ///     .batch(100, 20, Duration::from_millis(200))
    ///     .start_batch(|jobs: Vec<Job<String>>| async move {
    ///         let rows: Vec<&String> = jobs.iter().map(Job::data).collect();
    ///         insert(&rows).await?;
    ///         Ok(jobs.iter().map(|_| Ok("inserted")).collect())
    ///     })
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside a Tokio runtime, or when no thread can be started.
    pub fn start_batch<F, R, O>(self, handler: F) -> Worker
    where
        F: Fn(Vec<Job<T>>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Result<O, JobError>>, JobError>> + Send + 'static,
        O: IntoOutcome + Send + 'static,
    {
        self.worker.launch(Batches::<T, _>::new(self.size, handler))
    }
}
