//! The threads that run pages and single rows, one connection each, behind one bounded queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connect::Connector;
use super::error::OpenError;
use super::guard::{Guard, Limits};
use super::options::SqliteOptions;
use super::snapshot::Snapshot;
use crate::run::{Counters, RunError};

type Job = Box<dyn FnOnce(&Reader) + Send>;

/// The queue and its threads.
#[derive(Debug)]
pub(super) struct Readers {
    queue: RwLock<Option<Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    query_timeout: Duration,
}

/// What one thread owns.
#[derive(Debug)]
struct Reader {
    connection: Connection,
    guard: Guard,
    counters: Arc<Counters>,
}

impl Readers {
    pub(super) fn start(
        connector: &Connector,
        options: &SqliteOptions,
        counters: &Arc<Counters>,
    ) -> Result<Self, OpenError> {
        let (sender, receiver) = crossbeam_channel::bounded(options.queue.get());
        let mut threads = Vec::with_capacity(options.read_connections.get());
        for number in 0..options.read_connections.get() {
            let mut connection = connector.reader()?;
            let guard = Guard::install(&mut connection).map_err(|error| connector.error(error))?;
            let reader = Reader {
                connection,
                guard,
                counters: Arc::clone(counters),
            };
            let jobs = receiver.clone();
            let thread = std::thread::Builder::new()
                .name(format!("paceline-read-{number}"))
                .spawn(move || reader.serve(&jobs))
                .map_err(|error| connector.threads(error))?;
            threads.push(thread);
        }
        Ok(Self {
            queue: RwLock::new(Some(sender)),
            threads: Mutex::new(threads),
            query_timeout: options.query_timeout,
        })
    }

    /// Queues work. The time until the deadline runs from now.
    pub(super) fn submit<T, F>(
        &self,
        cancelled: Arc<AtomicBool>,
        work: F,
    ) -> Result<oneshot::Receiver<Result<T, RunError>>, RunError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Snapshot<'_>) -> Result<T, RunError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let limits = Limits {
            deadline: Instant::now() + self.query_timeout,
            cancelled,
        };
        let job: Job = Box::new(move |reader| {
            let outcome = reader.work(limits, work);
            // Nobody may be waiting any more.
            let _ = reply.send(outcome);
        });
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Ok(answer),
            Some(Err(TrySendError::Full(_))) => Err(RunError::overloaded()),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(RunError::stopped()),
        }
    }

    pub(super) fn close(&self) {
        drop(
            self.queue
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A reader catches the panics of its work; if it has died all the same there is nothing to wait for.
            let _ = thread.join();
        }
    }
}

impl Reader {
    fn serve(self, jobs: &Receiver<Job>) {
        for job in jobs {
            // A panic loses one answer, which its caller sees as stopped, and not the thread.
            if catch_unwind(AssertUnwindSafe(|| job(&self))).is_err() {
                tracing::error!("a query panicked");
                self.recover();
            }
        }
    }

    fn work<T>(
        &self,
        limits: Limits,
        work: impl FnOnce(&mut Snapshot<'_>) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        limits.check()?;
        self.guard.set(Some(limits));
        let Self {
            connection,
            guard,
            counters,
        } = self;
        let outcome = work(&mut Snapshot {
            connection,
            guard,
            counters,
        });
        self.guard.set(None);
        outcome
    }

    fn recover(&self) {
        self.guard.set(None);
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a reader could not leave its transaction");
        }
    }
}
