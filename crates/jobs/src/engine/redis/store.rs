//! What all operations share: the connection, the names of keys, what is known of held jobs and of queues.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::Value;

use super::events::EventHub;
use super::job_options::HeldJob;
use super::keys::Keys;
use super::link::Link;
use super::script::{Call, Script};
use super::settings::RedisSettings;
use crate::clock::Timestamp;
use crate::engine::{Lease, WakeBoard};
use crate::error::EngineError;
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
        self.note(queue);
        self.events.settle(self).await;
        self.link.call(call).await
    }

    /// Remembers that the engine works with a queue.
    pub(super) fn note(&self, queue: &QueueName) {
        let mut queues = lock(&self.queues);
        if !queues.contains(queue) {
            queues.insert(queue.clone());
            drop(queues);
            self.events.queue_appeared();
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
