//! Moving jobs from an outbox to their engine, in order: read, send, delete.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::table::{self, Entry, Fate, Fates};
use crate::clock::{Clock, SystemClock};
use crate::engine::EngineHandle;
use crate::error::{AddError, EngineError, OpenError};
use crate::names::QueueName;
use crate::shutdown::{Shutdown, StopDetails, Stopping};

/// Jobs moved at a time.
const BATCH: usize = 500;
/// How often the database is asked whether somebody wrote to it.
const POLL: Duration = Duration::from_millis(5);
/// The wait after the engine or the database failed, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest wait for one answer of the engine.
const ANSWER: Duration = Duration::from_secs(30);

/// Moves the jobs of one outbox until it is stopped. Several may run for the same outbox, in one process or
/// many: a job that two of them send is one job. An idle relay sees a commit within about 5 ms.
#[derive(Debug)]
pub struct OutboxRelay {
    signals: Arc<Signals>,
    thread: Thread,
    ended: watch::Receiver<()>,
}

#[derive(Debug, Default)]
struct Signals {
    stop: AtomicBool,
    look: AtomicBool,
    trouble: Mutex<Option<String>>,
}

fn lock(trouble: &Mutex<Option<String>>) -> MutexGuard<'_, Option<String>> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OutboxRelay {
    /// Starts a thread that moves jobs from the database at `path` to `engine`. Creates the outbox's table if it is
    /// missing.
    ///
    /// # Errors
    /// When the database cannot be opened, or no thread can be started.
    pub fn start(
        path: impl AsRef<Path>,
        engine: impl Into<EngineHandle>,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let connection = open(&path).map_err(|source| OpenError::Storage {
            path: path.clone(),
            source,
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(OpenError::Thread)?;
        let signals = Arc::new(Signals::default());
        let (running, ended) = watch::channel(());
        let relay = Relay {
            connection,
            path,
            engine: engine.into(),
            runtime,
            signals: Arc::clone(&signals),
        };
        let handle = thread::Builder::new()
            .name("jobs-outbox".to_owned())
            .stack_size(1024 * 1024)
            .spawn(move || {
                // Dropped with the thread, which is how others learn that it ended.
                let _running = running;
                relay.run();
            })
            .map_err(OpenError::Thread)?;
        Ok(Self {
            signals,
            thread: handle.thread().clone(),
            ended,
        })
    }

    /// Why nothing can be moved now; none when all is well.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.signals.trouble).clone()
    }

    /// Has the relay look at once: called after a commit, it saves the wait for the next poll.
    pub fn wake(&self) {
        self.signals.look.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Shutdown for OutboxRelay {
    /// Finishes the batch under way. What is left is moved by the next relay.
    fn stop(&self, grace: Duration) -> Stopping<'_> {
        Box::pin(async move {
            let began = Instant::now();
            self.signals.stop.store(true, Ordering::Release);
            self.thread.unpark();
            let mut ended = self.ended.clone();
            let _ = tokio::time::timeout(grace, ended.changed()).await;
            StopDetails {
                took: began.elapsed(),
                ..StopDetails::default()
            }
        })
    }
}

impl Drop for OutboxRelay {
    fn drop(&mut self) {
        self.signals.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn open(path: &Path) -> Result<Connection, EngineError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    table::create(&connection)?;
    Ok(connection)
}

struct Relay {
    connection: Connection,
    path: PathBuf,
    engine: EngineHandle,
    runtime: Runtime,
    signals: Arc<Signals>,
}

impl Relay {
    fn run(&self) {
        let mut pause = FIRST_PAUSE;
        while !self.stops() {
            let version = self.data_version();
            let step = self.step();
            *lock(&self.signals.trouble) = step.as_ref().err().map(ToString::to_string);
            match step {
                Ok(0) => self.wait_for_a_commit(version),
                Ok(_) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(path = %self.path.display(), error = &error as &dyn std::error::Error, "the outbox waits: its jobs cannot be moved now");
                    self.rest(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn stops(&self) -> bool {
        self.signals.stop.load(Ordering::Acquire)
    }

    fn data_version(&self) -> Option<i64> {
        self.connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut pragma| pragma.query_row([], |row| row.get(0)))
            .ok()
    }

    /// Returns when somebody wrote since `version` was read, when woken, and when stopped.
    fn wait_for_a_commit(&self, version: Option<i64>) {
        while !self.stops()
            && !self.signals.look.swap(false, Ordering::AcqRel)
            && self.data_version() == version
        {
            thread::park_timeout(POLL);
        }
    }

    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.stops() && Instant::now() < until {
            thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    }

    /// Moves a batch; says how many rows were settled.
    fn step(&self) -> Result<usize, AddError> {
        let (entries, mut fates) = table::oldest(&self.connection, BATCH, SystemClock.now())?;
        let mut failed = None;
        for (queue, entries) in by_queue(entries) {
            if let Err(error) = self.send(&queue, entries, &mut fates) {
                failed = Some(error);
                break;
            }
        }
        for (seq, fate) in &fates {
            if let Fate::Refused(why) = fate {
                tracing::error!(path = %self.path.display(), seq, why, "a job of the outbox is refused");
            }
        }
        // What was moved is deleted even if the rest failed: it would only be sent again.
        table::settle(&self.connection, &fates)?;
        failed.map_or(Ok(fates.len()), Err)
    }

    /// Sends the jobs of one queue. The error means that it is worth trying again.
    fn send(
        &self,
        queue: &QueueName,
        entries: Vec<Entry>,
        fates: &mut Fates,
    ) -> Result<(), AddError> {
        let jobs = entries.iter().map(|entry| entry.job.clone()).collect();
        match self.add(queue, jobs) {
            Ok(()) => {
                fates.extend(entries.iter().map(|entry| (entry.seq, Fate::Moved)));
                return Ok(());
            }
            Err(error) if !is_final(&error) => return Err(error),
            Err(_) => {}
        }
        // One of them is refused for good, and with it the whole call: find out which.
        for entry in entries {
            match self.add(queue, vec![entry.job]) {
                Ok(()) => fates.push((entry.seq, Fate::Moved)),
                Err(error) if is_final(&error) => {
                    fates.push((entry.seq, Fate::Refused(error.to_string())));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn add(&self, queue: &QueueName, jobs: Vec<crate::engine::NewJob>) -> Result<(), AddError> {
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(ANSWER, self.engine.add(queue, jobs, None)).await
        });
        match answer {
            Ok(added) => added.map(drop),
            Err(_) => Err(EngineError::Busy(ANSWER).into()),
        }
    }
}

/// Whether the engine would refuse it again.
const fn is_final(error: &AddError) -> bool {
    !matches!(
        error,
        AddError::QueueFull { .. }
            | AddError::Engine(
                EngineError::Busy(_)
                    | EngineError::Storage(_)
                    | EngineError::Stopped
                    | EngineError::Internal
                    | EngineError::Damaged(_)
            )
    )
}

/// The entries of each queue together, in order.
fn by_queue(entries: Vec<Entry>) -> Vec<(QueueName, Vec<Entry>)> {
    let mut queues: Vec<(QueueName, Vec<Entry>)> = Vec::new();
    for entry in entries {
        match queues.iter_mut().find(|(queue, _)| *queue == entry.queue) {
            Some((_, entries)) => entries.push(entry),
            None => queues.push((entry.queue.clone(), vec![entry])),
        }
    }
    queues
}
