//! The one thread that writes, and its queue.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use tokio::sync::oneshot;

use super::constraint::Constraint;
use super::error::WriteError;
use super::group::{self, End, Job};
use super::plan::WritePlan;
use super::read_back::ReadBack;
use super::session::{Session, Written};
use super::transact::Transact;
use super::transaction::Work;
use crate::catalog::Catalog;
use crate::encode::RowEncoder;
use crate::run::{Answer, Counters, RunError};
use crate::sqlite::{Connector, OpenError, SqliteOptions, not_committed};
use crate::statement::Statement;
use crate::version::{Touched, Versions};

/// The most writes that share a transaction.
const GROUP: usize = 64;
/// The write-ahead log is copied into the database when it has this many pages.
const CHECKPOINT_PAGES: i32 = 1000;
/// Schemas where one write can end the transaction of its neighbours: deferred foreign keys fail at
/// the commit, and `ROLLBACK` as a conflict clause or in a trigger takes everything with it.
const ENDS_TRANSACTIONS: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE sql LIKE '%DEFERR%' OR sql LIKE '%ROLLBACK%')";

/// The queue and its thread.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: RwLock<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The writing connection before its thread runs.
#[derive(Debug)]
pub(crate) struct IdleWriter {
    session: Session,
    group: usize,
    queue: usize,
}

impl IdleWriter {
    /// Opens the connection. It must be open before the versions are first read: commits of others
    /// between the two readings are then seen by the versions.
    pub(crate) fn open(
        connector: &Connector,
        options: &SqliteOptions,
        catalog: &Arc<Catalog>,
        counters: Arc<Counters>,
    ) -> Result<Self, OpenError> {
        let session = Session::open(connector, catalog, counters, options.query_timeout)?;
        let alone = session
            .connection
            .query_row(ENDS_TRANSACTIONS, [], |row| row.get(0));
        let alone: bool = alone.map_err(|error| connector.error(error))?;
        Ok(Self {
            session,
            group: if alone { 1 } else { GROUP },
            queue: options.queue.get(),
        })
    }

    /// Starts the thread.
    pub(crate) fn start(
        self,
        versions: Arc<Versions>,
        connector: &Connector,
    ) -> Result<Writer, OpenError> {
        let (sender, receiver) = crossbeam_channel::bounded(self.queue);
        let thread = std::thread::Builder::new()
            .name("paceline-write".to_owned())
            .spawn(move || self.serve(&versions, &receiver))
            .map_err(|error| connector.threads(error))?;
        Ok(Writer {
            queue: RwLock::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    fn serve(mut self, versions: &Versions, queue: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = queue.recv() {
            let mut jobs = vec![first];
            jobs.extend(queue.try_iter().take(self.group - 1));
            group::commit(&mut self.session, versions, jobs);
            if self.session.wal_pages() >= CHECKPOINT_PAGES {
                self.checkpoint();
            }
        }
    }

    /// After the answers: nobody waits for it.
    fn checkpoint(&self) {
        let outcome =
            self.session
                .connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = outcome {
            tracing::warn!(%error, "the write-ahead log could not be copied into the database");
        }
    }
}

impl Writer {
    /// Runs a write and, in the same transaction, reads the row back; answers when it is durable.
    pub(crate) async fn write<E>(
        &self,
        plan: WritePlan,
        read_back: Option<ReadBack<E>>,
    ) -> Result<(Written, Option<Answer<E>>), WriteError>
    where
        E: RowEncoder + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write {
            plan,
            read_back,
            outcome: None,
            reply,
        });
        self.enqueue(job)?;
        answer
            .await
            .unwrap_or_else(|_| Err(RunError::stopped().into()))
    }

    /// Runs work of several statements, behind a savepoint of its own in the transaction of its group; answers when it
    /// is durable.
    pub(crate) async fn transact<T: Send + 'static>(&self, work: Work<T>) -> Result<T, WriteError> {
        let (job, answer) = Transact::new(work);
        self.enqueue(Box::new(job))?;
        answer
            .await
            .unwrap_or_else(|_| Err(RunError::stopped().into()))
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), RunError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(RunError::overloaded()),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(RunError::stopped()),
        }
    }

    /// Takes no more writes, and waits for those that are queued.
    pub(crate) fn close(&self) {
        drop(
            self.queue
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The writer catches the panics of its jobs; if it has died all the same there is nothing to wait for.
            let _ = thread.join();
        }
    }
}

type Outcome<E> = Result<(Written, Option<Answer<E>>), WriteError>;

/// One caller's write.
struct Write<E> {
    plan: WritePlan,
    read_back: Option<ReadBack<E>>,
    outcome: Option<Outcome<E>>,
    reply: oneshot::Sender<Outcome<E>>,
}

impl<E: RowEncoder + Send> Write<E> {
    fn run(&mut self, session: &mut Session) -> Outcome<E> {
        let written = session.write(&self.plan)?;
        let read_back = self.read_back.take().filter(|_| written.can_be_read());
        let row = read_back.map(|read_back| read(session, read_back, &written));
        Ok((written, row.transpose()?))
    }
}

fn read<E: RowEncoder>(
    session: &Session,
    read_back: ReadBack<E>,
    written: &Written,
) -> Result<Answer<E>, RunError> {
    let ReadBack {
        sql,
        mut values,
        mut encoder,
    } = read_back;
    values.extend_from_slice(&written.change.key);
    let mut bytes = Vec::new();
    let rows = session
        .snapshot()
        .run(&Statement { sql, values }, &mut encoder, &mut bytes)?;
    Ok(Answer {
        encoder,
        bytes,
        rows,
    })
}

impl<E: RowEncoder + Send> Job for Write<E> {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn apply(&mut self, session: &mut Session) -> Option<Touched> {
        let outcome = self.run(session);
        let touched = outcome
            .as_ref()
            .ok()
            .map(|(written, _)| written.touched.clone());
        self.outcome = Some(outcome);
        touched
    }

    fn finish(self: Box<Self>, end: End<'_>) {
        let Self {
            plan,
            outcome,
            reply,
            ..
        } = *self;
        let answer = match (outcome, end) {
            (Some(Ok(_)) | None, End::Failed(error)) => {
                Err(match Constraint::from_driver(error, &plan.names) {
                    Some(constraint) => WriteError::Constraint(constraint),
                    None => not_committed(error).into(),
                })
            }
            (Some(Ok(_)), End::RolledBack) => Err(RunError::rolled_back().into()),
            (Some(outcome), _) => outcome,
            // It panicked.
            (None, _) => Err(RunError::stopped().into()),
        };
        // The caller may have gone meanwhile; the write stays.
        let _ = reply.send(answer);
    }
}
