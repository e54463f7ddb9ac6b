//! What all operations share: the connections, the names of keys, what is known of held jobs and of queues.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Cmd, Pipeline, Value};

use super::events::EventHub;
use super::job_options::HeldJob;
use super::keys::Keys;
use super::link::Link;
use super::script::{Call, Script};
use super::settings::RedisSettings;
use super::topology::{Slot, tag};
use crate::clock::Timestamp;
use crate::engine::{Lease, WakeBoard};
use crate::error::EngineError;
use crate::events::RingReader;
use crate::names::QueueName;

/// Who wrote a queue's settings first. BullMQ's tools want a name that begins with theirs.
pub(super) const LIBRARY: &str = concat!("bullmq-paceline:", env!("CARGO_PKG_VERSION"));

/// Held jobs that are remembered; those of more leases are looked up when they end.
const MOST_HELD: usize = 100_000;

#[derive(Debug)]
pub(super) struct Store {
    pub(super) link: Link,
    pub(super) keys: Keys,
    pub(super) settings: RedisSettings,
    pub(super) board: Arc<WakeBoard>,
    pub(super) events: EventHub,
    held: Mutex<HashMap<Lease, HeldJob>>,
    queues: Mutex<BTreeSet<QueueName>>,
}

impl Store {
    pub(super) fn new(link: Link, settings: RedisSettings, board: Arc<WakeBoard>) -> Self {
        Self {
            link,
            keys: Keys::new(&settings.prefix),
            events: EventHub::new(settings.events),
            settings,
            board,
            held: Mutex::default(),
            queues: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    /// Begins a call of a script on a queue, which is known from now on.
    pub(super) fn script(
        &self,
        script: &'static std::sync::LazyLock<Script>,
        queue: &QueueName,
    ) -> Call {
        Call::new(script, &self.keys.base(queue))
    }

    /// Runs a script on a queue.
    pub(super) async fn call(&self, queue: &QueueName, call: &Call) -> Result<Value, EngineError> {
        let slot = self.place(queue)?;
        self.note(queue);
        self.events.settle(self, slot).await;
        self.link.call(slot, call).await
    }

    /// Runs a script that tells of a queue, which nobody has to work with for that.
    pub(super) async fn ask(&self, queue: &QueueName, call: &Call) -> Result<Value, EngineError> {
        self.link.call(self.place(queue)?, call).await
    }

    /// Runs one command on keys of a queue.
    pub(super) async fn query(
        &self,
        queue: &QueueName,
        command: &Cmd,
    ) -> Result<Value, EngineError> {
        self.link.query(self.place(queue)?, command).await
    }

    /// Runs several commands that change nothing, on keys of a queue.
    pub(super) async fn pipeline(
        &self,
        queue: &QueueName,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, EngineError> {
        self.link.pipeline(self.place(queue)?, pipeline).await
    }

    /// The slot of a queue's keys.
    pub(super) fn slot(&self, queue: &QueueName) -> Slot {
        let topology = &self.link.topology;
        if topology.is_cluster() {
            Slot::of(&self.keys.base(queue))
        } else {
            Slot::WHOLE
        }
    }

    /// The slot of a queue's keys.
    ///
    /// # Errors
    /// When they would lie in many: a cluster needs a hash tag in what they all begin with.
    pub(super) fn place(&self, queue: &QueueName) -> Result<Slot, EngineError> {
        if self.link.topology.is_cluster() && tag(&self.keys.base(queue)).is_none() {
            return Err(EngineError::NoHashTag {
                queue: queue.clone(),
            });
        }
        Ok(self.slot(queue))
    }

    /// Begins to tell of a queue's events, or of those of all queues.
    pub(super) fn subscribe(&self, queue: Option<QueueName>) -> RingReader {
        let slots: Vec<Slot> = match &queue {
            Some(queue) => vec![self.slot(queue)],
            None => self.noted().iter().map(|queue| self.slot(queue)).collect(),
        };
        self.events.subscribe(queue, slots)
    }

    /// Remembers that the engine works with a queue, if it can.
    pub(super) fn note(&self, queue: &QueueName) {
        if self.place(queue).is_err() {
            return;
        }
        let mut queues = lock(&self.queues);
        if !queues.contains(queue) {
            queues.insert(queue.clone());
            drop(queues);
            self.events.queue_appeared(self.slot(queue));
        }
    }

    /// The queues the engine worked with so far.
    pub(super) fn noted(&self) -> Vec<QueueName> {
        lock(&self.queues).iter().cloned().collect()
    }

    pub(super) fn hold(&self, lease: &Lease, job: HeldJob) {
        let mut held = lock(&self.held);
        if held.len() >= MOST_HELD {
            held.clear();
        }
        held.insert(lease.clone(), job);
    }

    pub(super) fn held(&self, lease: &Lease) -> Option<HeldJob> {
        lock(&self.held).get(lease).copied()
    }

    pub(super) fn let_go(&self, lease: &Lease) {
        lock(&self.held).remove(lease);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
