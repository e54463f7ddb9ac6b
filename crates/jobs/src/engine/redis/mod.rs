//! Jobs in Redis, in the layout of BullMQ 6: BullMQ's producers, workers and tools of any language may use
//! the same queues at the same time. `docs/redis-layout.md` says which keys and fields are used.
//!
//! Every change is one script, so that nobody sees half of it. What the server answered is as durable as the
//! server is set to: see [`RedisEngine::doctor`]. One connection carries the commands, one waits for work, a
//! third one reads events while somebody listens.
//!
//! Not for Redis Cluster: the keys of a queue would lie on different nodes. Not for a server that evicts
//! keys (`maxmemory-policy` other than `noeviction`).

mod add;
mod blocking;
mod bulk;
mod claim;
mod doctor;
mod event_names;
mod events;
mod fault;
mod finish;
mod flow;
mod io;
mod job_options;
mod keys;
mod lease;
mod link;
mod manage;
mod read;
mod replay;
mod reply;
mod schedulers;
mod script;
mod settings;
mod snapshot;
mod store;
mod stored_scheduler;
mod sweep;
mod transfer;
mod watch;

pub use doctor::{Finding, RedisFacts, RedisReport, Severity, judge};
pub use fault::RedisFault;
pub use settings::RedisOptions;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use redis::{Client, IntoConnectionInfo, ProtocolVersion};
use serde_json::value::RawValue;
use tokio::sync::Notify;

use self::io::IoThread;
use self::link::Link;
use self::store::Store;
use super::checks::check_jobs;
use super::{
    Added, BulkAction, BulkStep, CancelListener, ClaimRequest, Claimed, Engine, EngineHandle,
    Finish, JobChange, Lease, Listener, LogPage, NewJob, Operation, Renewal, Search, SweepReport,
    WakeBoard,
};
use crate::clock::Timestamp;
use crate::error::{AddError, EngineError, LeaseError, ManageError, OpenError};
use crate::events::{EventCursor, QueueEvents, UnknownCursor};
use crate::flow::{AddedFlow, Children, Flow};
use crate::limits::Limits;
use crate::names::{JobId, QueueName, SchedulerId};
use crate::scheduler::{Scheduler, SchedulerInfo};
use crate::settings::QueueSettings;
use crate::shutdown::{Shutdown, StopDetails, Stopping};
use crate::snapshot::{JobPage, JobSnapshot, Page, QueueInfo};
use crate::state::State;
use crate::transfer::{Imported, JobRecord};

/// Jobs on a Redis server. Cheap to clone; clones share the connections.
#[derive(Debug, Clone)]
pub struct RedisEngine {
    store: Arc<Store>,
    thread: Arc<IoThread>,
    stopped: Arc<AtomicBool>,
}

impl RedisEngine {
    /// Connects to the server at `url` with the defaults of [`RedisOptions::new`].
    ///
    /// # Errors
    /// When the address cannot be used, the server does not answer, or it is older than 6.2.
    pub async fn connect(url: impl Into<String>) -> Result<Self, OpenError> {
        RedisOptions::new(url).connect().await
    }

    async fn connect_with(options: RedisOptions) -> Result<Self, OpenError> {
        let RedisOptions { url, settings } = options;
        if settings.prefix.is_empty() || settings.prefix.contains(':') {
            return Err(OpenError::Address(
                "the prefix must not be empty nor contain a colon".to_owned(),
            ));
        }
        // Encryption needs a provider; the program's own choice stands if it made one.
        #[cfg(feature = "redis-tls")]
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = url
            .as_str()
            .into_connection_info()
            .map_err(|error| OpenError::Address(error.to_string()))?;
        let connection = address
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("paceline", env!("CARGO_PKG_VERSION"));
        let client = Client::open(address.set_redis_settings(connection))
            .map_err(|error| OpenError::Address(error.to_string()))?;
        let idle = Arc::new(Notify::new());
        let board = {
            let idle = Arc::clone(&idle);
            Arc::new(WakeBoard::new(move || idle.notify_one()))
        };
        let link = Link::new(client, settings.deadline);
        let engine = Self {
            store: Arc::new(Store::new(link, settings, board)),
            thread: Arc::new(IoThread::start().map_err(OpenError::Thread)?),
            stopped: Arc::default(),
        };
        let report = engine.doctor().await.map_err(OpenError::Server)?;
        report.refusal()?;
        for finding in &report.findings {
            tracing::warn!("Redis: {finding}");
        }
        engine
            .thread
            .spawn(watch::run(Arc::clone(&engine.store), idle));
        engine.thread.spawn(events::run(Arc::clone(&engine.store)));
        engine.thread.spawn(sweep::run(Arc::clone(&engine.store)));
        Ok(engine)
    }

    /// Looks at the server's settings and says what can be lost with them.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn doctor(&self) -> Result<RedisReport, EngineError> {
        self.run(|store| async move { doctor::look(&store).await })
            .await
    }

    /// Does `work` on the engine's thread.
    fn run<T, E, F>(&self, work: impl FnOnce(Arc<Store>) -> F) -> Operation<'static, T, E>
    where
        T: Send + 'static,
        E: From<EngineError> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        if self.stopped.load(Ordering::SeqCst) {
            return Box::pin(async { Err(EngineError::Stopped.into()) });
        }
        self.thread.run(work(Arc::clone(&self.store)))
    }

    fn manage(
        &self,
        queue: &QueueName,
        id: &JobId,
        what: &'static str,
    ) -> Operation<'static, (), ManageError> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { manage::manage(&store, &queue, &id, what).await })
    }
}

impl Engine for RedisEngine {
    fn add(
        &self,
        queue: &QueueName,
        jobs: Vec<NewJob>,
        max_not_started: Option<u64>,
    ) -> Operation<'_, Vec<Added>, AddError> {
        let queue = queue.clone();
        self.run(move |store| async move {
            check_jobs(&jobs, &store.settings.limits)?;
            add::add(&store, &queue, &jobs, max_not_started).await
        })
    }

    fn claim(&self, request: ClaimRequest) -> Operation<'_, Claimed> {
        self.run(move |store| async move { claim::claim(&store, &request).await })
    }

    fn renew(&self, leases: Vec<Lease>, lease_for: Duration) -> Operation<'_, Vec<Renewal>> {
        self.run(move |store| async move { lease::renew(&store, &leases, lease_for).await })
    }

    fn finish(&self, endings: Vec<Finish>) -> Operation<'_, Vec<Result<State, LeaseError>>> {
        self.run(move |store| async move { finish::finish(&store, &endings).await })
    }

    fn progress(&self, lease: &Lease, value: Box<RawValue>) -> Operation<'_, (), LeaseError> {
        let (size, max) = (value.get().len(), self.limits().progress);
        if size > max {
            let what = "progress";
            return Box::pin(async move { Err(LeaseError::TooLarge { what, size, max }) });
        }
        let lease = lease.clone();
        self.run(move |store| async move { lease::progress(&store, &lease, value.get()).await })
    }

    fn log(&self, lease: &Lease, line: String) -> Operation<'_, (), LeaseError> {
        let lease = lease.clone();
        self.run(move |store| async move { lease::log(&store, &lease, &line).await })
    }

    fn logs(&self, queue: &QueueName, id: &JobId, page: Page) -> Operation<'_, LogPage> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { read::logs(&store, &queue, &id, page).await })
    }

    fn get(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<JobSnapshot>> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { read::get(&store, &queue, &id).await })
    }

    fn list(&self, queue: &QueueName, state: State, page: Page) -> Operation<'_, JobPage> {
        let queue = queue.clone();
        self.run(move |store| async move { read::list_jobs(&store, &queue, state, page).await })
    }

    fn info(&self, queue: &QueueName) -> Operation<'_, Option<QueueInfo>> {
        let queue = queue.clone();
        self.run(move |store| async move { read::info(&store, &queue).await })
    }

    fn queues(&self) -> Operation<'_, Vec<QueueInfo>> {
        self.run(move |store| async move { read::queues(&store).await })
    }

    fn add_flow(&self, flow: Flow) -> Operation<'_, AddedFlow, AddError> {
        self.run(move |store| async move { flow::add(&store, &flow).await })
    }

    fn add_children(
        &self,
        lease: &Lease,
        children: Vec<Flow>,
    ) -> Operation<'_, Vec<AddedFlow>, AddError> {
        let lease = lease.clone();
        self.run(move |store| async move { flow::add_children(&store, &lease, &children).await })
    }

    fn children(&self, queue: &QueueName, id: &JobId) -> Operation<'_, Option<Children>> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { flow::children(&store, &queue, &id).await })
    }

    fn search(&self, queue: &QueueName, search: Search, page: Page) -> Operation<'_, JobPage> {
        let queue = queue.clone();
        self.run(move |store| async move { bulk::search(&store, &queue, &search, page).await })
    }

    fn change(
        &self,
        queue: &QueueName,
        id: &JobId,
        change: JobChange,
    ) -> Operation<'_, (), ManageError> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { bulk::change(&store, &queue, &id, change).await })
    }

    fn cancel(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { bulk::cancel(&store, &queue, &id).await })
    }

    fn bulk(&self, queue: &QueueName, action: BulkAction) -> Operation<'_, BulkStep, ManageError> {
        let queue = queue.clone();
        self.run(move |store| async move { bulk::step(&store, &queue, action).await })
    }

    fn set_settings(&self, queue: &QueueName, settings: QueueSettings) -> Operation<'_, ()> {
        let queue = queue.clone();
        self.run(move |store| async move { bulk::set_settings(&store, &queue, &settings).await })
    }

    fn export(&self, queue: &QueueName, state: State, page: Page) -> Operation<'_, Vec<JobRecord>> {
        let queue = queue.clone();
        self.run(move |store| async move { transfer::export(&store, &queue, state, page).await })
    }

    fn import(
        &self,
        queue: &QueueName,
        jobs: Vec<JobRecord>,
    ) -> Operation<'_, Vec<Imported>, AddError> {
        let queue = queue.clone();
        self.run(move |store| async move { transfer::import(&store, &queue, &jobs).await })
    }

    fn upsert_scheduler(
        &self,
        queue: &QueueName,
        scheduler: Scheduler,
    ) -> Operation<'_, SchedulerInfo, AddError> {
        let queue = queue.clone();
        self.run(move |store| async move { schedulers::upsert(&store, &queue, &scheduler).await })
    }

    fn remove_scheduler(&self, queue: &QueueName, id: &SchedulerId) -> Operation<'_, bool> {
        let (queue, id) = (queue.clone(), id.clone());
        self.run(move |store| async move { schedulers::remove(&store, &queue, &id).await })
    }

    fn schedulers(&self, queue: &QueueName) -> Operation<'_, Vec<SchedulerInfo>> {
        let queue = queue.clone();
        self.run(move |store| async move { schedulers::list(&store, &queue).await })
    }

    fn retry(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.manage(queue, id, "retry")
    }

    fn promote(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.manage(queue, id, "promote")
    }

    fn remove(&self, queue: &QueueName, id: &JobId) -> Operation<'_, (), ManageError> {
        self.manage(queue, id, "remove")
    }

    fn set_paused(&self, queue: &QueueName, paused: bool) -> Operation<'_, ()> {
        let queue = queue.clone();
        self.run(move |store| async move { manage::set_paused(&store, &queue, paused).await })
    }

    fn sweep(&self) -> Operation<'_, SweepReport> {
        self.run(move |store| async move { sweep::sweep(&store).await })
    }

    fn listen(&self, queue: &QueueName) -> Listener {
        self.store.board.listen(queue)
    }

    fn listen_cancellations(&self, queue: &QueueName) -> CancelListener {
        self.store.board.listen_cancellations(queue)
    }

    fn events(&self, queue: Option<QueueName>) -> QueueEvents {
        self.store.events.subscribe(queue).into()
    }

    fn events_since(
        &self,
        queue: Option<QueueName>,
        cursor: &EventCursor,
    ) -> Result<QueueEvents, UnknownCursor> {
        replay::since(&self.store, &self.thread, queue, cursor)
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    fn limits(&self) -> &Limits {
        &self.store.settings.limits
    }
}

impl Shutdown for RedisEngine {
    /// Closes the connections. Operations under way get `grace` to end; later calls on any clone answer
    /// [`EngineError::Stopped`].
    fn stop(&self, grace: Duration) -> Stopping<'_> {
        Box::pin(async move {
            let began = Instant::now();
            self.stopped.store(true, Ordering::SeqCst);
            let _ = tokio::time::timeout(grace, self.thread.idle()).await;
            self.thread.end();
            StopDetails {
                took: began.elapsed(),
                ..StopDetails::default()
            }
        })
    }
}

impl From<RedisEngine> for EngineHandle {
    fn from(engine: RedisEngine) -> Self {
        Self::new(engine)
    }
}

impl From<&RedisEngine> for EngineHandle {
    fn from(engine: &RedisEngine) -> Self {
        Self::new(engine.clone())
    }
}
