//! The embedded engine: one SQLite file, no server.
//!
//! One thread writes. It drains a bounded line of operations and commits many together, so that callers at
//! the same time share one fsync; each is answered after the commit. Reads have threads of their own.
//! Several processes on one machine may share the file: a locked file is waited for within a bound, and
//! an idle worker sees another process's add within about 5 ms.
//!
//! Not for network file systems (refused where they can be told), and not for a file that the
//! application copies while it is open: use SQLite's backup.

mod call;
mod children;
mod network_fs;
mod open;
mod ops;
mod options;
mod process;
mod read;
mod schema;
mod search;
mod shared;
mod transactional;
mod tx;
mod watch;
mod window;
mod writer;

pub use options::{Durability, SqliteOptions};

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, oneshot};

use self::call::{Promise, ReadCall, Write};
use self::process::ProcessIdentity;
use self::shared::Shared;
use self::tx::Tx;
use self::writer::{Command, Writer};
use super::checks::{check_children, check_flow, check_jobs, check_transfer};
use super::{
    Added, BulkAction, BulkStep, CancelListener, ClaimRequest, Claimed, Engine, EngineHandle,
    Finish, JobChange, Lease, Listener, LogPage, NewJob, Operation, Renewal, Search, SweepReport,
    WakeBoard,
};
use crate::clock::Timestamp;
use crate::error::{AddError, EngineError, LeaseError, ManageError, OpenError};
use crate::events::{EventCursor, EventSender, QueueEvents, UnknownCursor};
use crate::flow::{AddedFlow, Children, Flow};
use crate::limits::Limits;
use crate::names::{InvalidName, JobId, QueueName, SchedulerId};
use crate::queue::RawQueue;
use crate::scheduler::{Scheduler, SchedulerInfo};
use crate::settings::QueueSettings;
use crate::shutdown::{Shutdown, StopDetails, Stopping};
use crate::snapshot::{JobPage, JobSnapshot, Page, QueueInfo};
use crate::state::{State, Trigger};
use crate::transfer::{Imported, JobRecord};

/// Jobs in an SQLite file. Cheap to clone; clones share the file and the threads.
///
/// Stop it with [`Shutdown::stop`] after the workers; dropped instead, it finishes what was asked of it
/// and closes the file in the background.
#[derive(Debug, Clone)]
pub struct SqliteEngine {
    shared: Arc<Shared>,
    writes: Sender<Command>,
    reads: Sender<ReadCall>,
    /// Places in the line to the writer and to the readers: full lines make callers wait.
    write_places: Arc<Semaphore>,
    read_places: Arc<Semaphore>,
}

impl SqliteEngine {
    /// Opens the file at `path` with the defaults of [`SqliteOptions::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        SqliteOptions::new(path).open()
    }

    fn open_with(options: &SqliteOptions) -> Result<Self, OpenError> {
        let identity = ProcessIdentity::current();
        let connections = open::open(options, &identity)?;
        let (watcher, board) = start_watcher(connections.watcher)?;
        let shared = Arc::new(Shared {
            // Absolute, should the process change its folder.
            path: std::fs::canonicalize(&options.path).unwrap_or_else(|_| options.path.clone()),
            clock: Arc::clone(&options.clock),
            limits: options.limits,
            keep_completed: options.keep_completed,
            keep_failed: options.keep_failed,
            stall_limit: options.stall_limit,
            busy_bound: options.busy_bound,
            sweep_every: options.sweep_every,
            identity,
            process: connections.process,
            events: EventSender::new(options.events),
            board,
        });
        watcher.unpark();
        let (writes, line) = bounded(options.line + 1);
        let mut thread = Writer::new(
            connections.writer,
            Arc::clone(&shared),
            line,
            options.durability,
        );
        // Leases of processes that died while nobody looked are freed before the first claim.
        thread.sweep();
        spawn("jobs-writer", move || thread.run())?;
        let (reads, read_line) = bounded::<ReadCall>(options.line);
        for connection in connections.readers {
            let line = read_line.clone();
            spawn("jobs-reader", move || serve_reads(&connection, &line))?;
        }
        Ok(Self {
            shared,
            writes,
            reads,
            write_places: Arc::new(Semaphore::new(options.line)),
            read_places: Arc::new(Semaphore::new(options.line)),
        })
    }

    #[cfg(test)]
    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The queue called `name`, with payloads as raw JSON.
    pub fn queue(&self, name: impl AsRef<str>) -> Result<RawQueue, InvalidName> {
        EngineHandle::from(self).queue(name)
    }

    /// Hands `work` to the writer and waits for the commit. It may be run again after it was undone.
    fn write<T, E, F>(&self, work: F) -> Operation<'_, T, E>
    where
        T: Send + 'static,
        E: From<EngineError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.write_as(Promise::Kept, work)
    }

    fn write_as<T, E, F>(&self, promise: Promise, work: F) -> Operation<'_, T, E>
    where
        T: Send + 'static,
        E: From<EngineError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        Box::pin(async move {
            let place = Arc::clone(&self.write_places)
                .acquire_owned()
                .await
                .map_err(|_| EngineError::Stopped)?;
            let (reply, answer) = oneshot::channel();
            let call = Box::new(Write::new(promise, work, reply, place));
            // The line has a slot for every place, so this does not block.
            self.writes
                .send(Command::Write(call))
                .map_err(|_| EngineError::Stopped)?;
            answer.await.map_err(|_| EngineError::Stopped)?
        })
    }

    /// Hands `work` to a reader.
    fn read<T, F>(&self, work: F) -> Operation<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, EngineError> + Send + 'static,
    {
        Box::pin(async move {
            let _place = self
                .read_places
                .acquire()
                .await
                .map_err(|_| EngineError::Stopped)?;
            let (reply, answer) = oneshot::channel();
            let call: ReadCall = Box::new(move |connection| {
                let _ = reply.send(work(connection));
            });
            self.reads
                .try_send(call)
                .map_err(|_| EngineError::Stopped)?;
            answer.await.map_err(|_| EngineError::Stopped)?
        })
    }

    async fn bulk_step(
        &self,
        queue: QueueName,
        action: BulkAction,
    ) -> Result<BulkStep, ManageError> {
        if let BulkAction::Clean {
            state: State::Active,
            ..
        } = action
        {
            return Err(ManageError::WrongState(State::Active));
        }
        let (now, step) = (self.shared.clock.now(), self.shared.limits.bulk_step);
        let name = queue.clone();
        let found = self
            .read(move |connection| ops::bulk::candidates(connection, &name, action, now, step))
            .await?;
        self.write(move |tx| match action {
            BulkAction::Obliterate { force } => ops::obliterate::step(tx, &queue, force, &found),
            _ => ops::bulk::step(tx, &queue, action, &found),
        })
        .await
    }

    async fn remove_scheduler_steps(
        &self,
        queue: QueueName,
        id: SchedulerId,
    ) -> Result<bool, EngineError> {
        let (mut found, mut newest) = (false, None);
        loop {
            let (queue, id) = (queue.clone(), id.clone());
            let step = self
                .write::<_, EngineError, _>(move |tx| {
                    ops::schedule::remove(tx, &queue, &id, newest)
                })
                .await?;
            found |= step.found;
            newest = Some(step.newest);
            if !step.more {
                return Ok(found);
            }
        }
    }

    fn manage(
        &self,
        queue: &QueueName,
        id: &JobId,
        trigger: Trigger,
    ) -> Operation<'_, (), ManageError> {
        let (queue, id) = (queue.clone(), id.clone());
        self.write(move |tx| ops::manage::manage(tx, &queue, &id, trigger))
    }
}

impl Engine for SqliteEngine {
    fn add(
        &self,
        queue: &QueueName,
        jobs: Vec<NewJob>,
        max_not_started: Option<u64>,
    ) -> Operation<'_, Vec<Added>, AddError> {
        if let Err(refused) = check_jobs(&jobs, &self.shared.limits) {
            return Box::pin(async move { Err(refused) });
        }
        let queue = queue.clone();
        self.write(move |tx| ops::add::add(tx, &queue, &jobs, max_not_started))
    }

    fn claim(&self, request: ClaimRequest) -> Operation<'_, Claimed> {
        self.write_as(Promise::Lease, move |tx| ops::claim::claim(tx, &request))
    }

    fn renew(&self, leases: Vec<Lease>, lease_for: Duration) -> Operation<'_, Vec<Renewal>> {
        self.write_as(Promise::Lease, move |tx| {
            ops::lease::renew(tx, &leases, lease_for)
        })
    }

    fn finish(&self, endings: Vec<Finish>) -> Operation<'_, Vec<Result<State, LeaseError>>> {
        self.write(move |tx| ops::finish::finish(tx, &endings))
    }

    fn progress(&self, lease: &Lease, value: Box<RawValue>) -> Operation<'_, (), LeaseError> {
        let (size, max) = (value.get().len(), self.shared.limits.progress);
        if size > max {
            let what = "progress";
            return Box::pin(async move { Err(LeaseError::TooLarge { what, size, max }) });
        }
        let lease = lease.clone();
        self.write(move |tx| ops::lease::progress(tx, &lease, &value))
    }

    fn get(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<JobSnapshot>> {
        let (queue, id) = (queue.clone(), id.clone());
        self.read(move |connection| read::get(connection, &queue, &id))
    }

    fn list(&self, queue: &QueueName, state: State, mut page: Page) -> Operation<'_, JobPage> {
        page.limit = page.limit.min(self.shared.limits.page);
        let queue = queue.clone();
        self.read(move |connection| read::list(connection, &queue, state, page))
    }

    fn info(&self, queue: &QueueName) -> Operation<'_, Option<QueueInfo>> {
        let queue = queue.clone();
        self.read(move |connection| read::info(connection, &queue))
    }

    fn queues(&self) -> Operation<'_, Vec<QueueInfo>> {
        self.read(read::queues)
    }

    fn add_flow(&self, flow: Flow) -> Operation<'_, AddedFlow, AddError> {
        if let Err(refused) = check_flow(&flow, &self.shared.limits) {
            return Box::pin(async move { Err(refused) });
        }
        self.write(move |tx| ops::flow::add(tx, &flow))
    }

    fn add_children(
        &self,
        lease: &Lease,
        children: Vec<Flow>,
    ) -> Operation<'_, Vec<AddedFlow>, AddError> {
        if let Err(refused) = check_children(&children, &self.shared.limits) {
            return Box::pin(async move { Err(refused) });
        }
        let lease = lease.clone();
        self.write(move |tx| ops::flow::add_children(tx, &lease, &children))
    }

    fn children(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<Children>> {
        let (queue, id) = (queue.clone(), id.clone());
        self.read(move |connection| children::children(connection, &queue, &id))
    }

    fn set_settings(&self, queue: &QueueName, settings: QueueSettings) -> Operation<'_, ()> {
        let queue = queue.clone();
        self.write(move |tx| ops::settings::set_settings(tx, &queue, settings))
    }

    fn export(
        &self,
        queue: &QueueName,
        state: State,
        mut page: Page,
    ) -> Operation<'_, Vec<JobRecord>> {
        page.limit = page.limit.min(self.shared.limits.page);
        let queue = queue.clone();
        self.read(move |connection| ops::transfer::export(connection, &queue, state, page))
    }

    fn import(
        &self,
        queue: &QueueName,
        jobs: Vec<JobRecord>,
    ) -> Operation<'_, Vec<Imported>, AddError> {
        if let Err(refused) = check_transfer(&jobs, &self.shared.limits) {
            return Box::pin(async move { Err(refused) });
        }
        let queue = queue.clone();
        self.write(move |tx| ops::transfer::import(tx, &queue, &jobs))
    }

    fn log(&self, lease: &Lease, line: String) -> Operation<'_, (), LeaseError> {
        let lease = lease.clone();
        self.write(move |tx| ops::log::append(tx, &lease, &line))
    }

    fn logs(&self, queue: &QueueName, id: &JobId, mut page: Page) -> Operation<'_, LogPage> {
        page.limit = page.limit.min(self.shared.limits.page);
        let (queue, id) = (queue.clone(), id.clone());
        self.read(move |connection| ops::log::list(connection, &queue, &id, page))
    }

    fn search(&self, queue: &QueueName, search: Search, mut page: Page) -> Operation<'_, JobPage> {
        page.limit = page.limit.min(self.shared.limits.page);
        let queue = queue.clone();
        self.read(move |connection| search::search(connection, &queue, &search, page))
    }

    fn change(
        &self,
        queue: &QueueName,
        id: &JobId,
        change: JobChange,
    ) -> Operation<'_, (), ManageError> {
        let max = self.shared.limits.payload;
        if let JobChange::Data(data) = &change
            && data.get().len() > max
        {
            let (what, size) = ("payload", data.get().len());
            return Box::pin(async move { Err(ManageError::TooLarge { what, size, max }) });
        }
        let (queue, id) = (queue.clone(), id.clone());
        self.write(move |tx| ops::change::change(tx, &queue, &id, &change))
    }

    fn cancel(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        let (queue, id) = (queue.clone(), id.clone());
        self.write(move |tx| ops::cancel::cancel(tx, &queue, &id))
    }

    fn bulk(&self, queue: &QueueName, action: BulkAction) -> Operation<'_, BulkStep, ManageError> {
        let queue = queue.clone();
        Box::pin(self.bulk_step(queue, action))
    }

    fn upsert_scheduler(
        &self,
        queue: &QueueName,
        scheduler: Scheduler,
    ) -> Operation<'_, SchedulerInfo, AddError> {
        match ops::schedule::check(scheduler, &self.shared.limits) {
            Ok(scheduler) => {
                let queue = queue.clone();
                self.write(move |tx| ops::schedule::upsert(tx, &queue, &scheduler))
            }
            Err(refused) => Box::pin(async move { Err(refused) }),
        }
    }

    fn remove_scheduler(&self, queue: &QueueName, id: &SchedulerId) -> Operation<'_, bool> {
        let (queue, id) = (queue.clone(), id.clone());
        Box::pin(self.remove_scheduler_steps(queue, id))
    }

    fn schedulers(&self, queue: &QueueName) -> Operation<'_, Vec<SchedulerInfo>> {
        let queue = queue.clone();
        self.read(move |connection| ops::schedule::list(connection, &queue))
    }

    fn retry(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.manage(queue, id, Trigger::Retry)
    }

    fn promote(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.manage(queue, id, Trigger::Promote)
    }

    fn remove(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.manage(queue, id, Trigger::Remove)
    }

    fn set_paused(&self, queue: &QueueName, paused: bool) -> Operation<'_, ()> {
        let queue = queue.clone();
        self.write(move |tx| ops::manage::set_paused(tx, &queue, paused))
    }

    fn sweep(&self) -> Operation<'_, SweepReport> {
        self.write(ops::sweep::sweep)
    }

    fn listen(&self, queue: &QueueName) -> Listener {
        self.shared.board.listen(queue)
    }

    fn listen_cancellations(&self, queue: &QueueName) -> CancelListener {
        self.shared.board.listen_cancellations(queue)
    }

    fn events(&self, queue: Option<QueueName>) -> QueueEvents {
        self.shared.events.subscribe(queue).into()
    }

    fn events_since(
        &self,
        queue: Option<QueueName>,
        cursor: &EventCursor,
    ) -> Result<QueueEvents, UnknownCursor> {
        let reader = self.shared.events.subscribe_since(queue, cursor)?;
        Ok(reader.into())
    }

    fn as_sqlite(&self) -> Option<&SqliteEngine> {
        Some(self)
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn limits(&self) -> &Limits {
        &self.shared.limits
    }
}

impl Shutdown for SqliteEngine {
    /// Does what is in line, then closes the file. `grace` bounds the wait. Later calls on any clone
    /// answer [`EngineError::Stopped`].
    fn stop(&self, grace: Duration) -> Stopping<'_> {
        Box::pin(async move {
            let began = Instant::now();
            self.write_places.close();
            self.read_places.close();
            let (done, closed) = oneshot::channel();
            if self.writes.try_send(Command::Stop(done)).is_ok() {
                let _ = tokio::time::timeout(grace, closed).await;
            }
            StopDetails {
                took: began.elapsed(),
                ..StopDetails::default()
            }
        })
    }
}

/// Starts a small thread that ends by itself when the engine is gone.
fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<thread::JoinHandle<()>, OpenError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(512 * 1024)
        .spawn(work)
        .map_err(OpenError::Thread)
}

/// The watcher wants the board and the board wants to wake the watcher: the thread waits for the board.
fn start_watcher(connection: Connection) -> Result<(thread::Thread, Arc<WakeBoard>), OpenError> {
    let (give, take) = bounded(1);
    let handle = spawn("jobs-watcher", move || {
        if let Ok(board) = take.recv() {
            watch::run(&connection, &board);
        }
    })?;
    let watcher = handle.thread().clone();
    let board = {
        let watcher = watcher.clone();
        Arc::new(WakeBoard::new(move || watcher.unpark()))
    };
    // The thread holds no strong reference, so that it ends with the engine.
    let _ = give.send(Arc::downgrade(&board));
    Ok((watcher, board))
}

fn serve_reads(connection: &Connection, line: &Receiver<ReadCall>) {
    while let Ok(call) = line.recv() {
        call(connection);
    }
}
