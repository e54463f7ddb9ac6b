//! Events of all programs, read from the queues' streams on a connection of their own, and only while
//! somebody listens.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{RedisResult, Value};
use tokio::sync::Notify;

use super::blocking::{Blocking, LONGEST_WAIT};
use super::event_names::job_event;
use super::reply::{list, text};
use super::store::{Store, lock};
use crate::clock::Timestamp;
use crate::events::{EntryId, EventCursor, EventSender, JobEvent, Place, RingReader};
use crate::names::QueueName;

const PAUSE: Duration = Duration::from_millis(200);
/// Entries read at once from a stream.
pub(super) const STEP: usize = 500;

/// Who listens, and how far each stream was read.
#[derive(Debug)]
pub(super) struct EventHub {
    capacity: usize,
    /// By queue; none is all of them.
    listeners: Mutex<HashMap<Option<QueueName>, EventSender>>,
    positions: Mutex<HashMap<QueueName, String>>,
    /// Some stream is wanted whose position is not known yet.
    unsettled: AtomicBool,
    settling: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl EventHub {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            listeners: Mutex::default(),
            positions: Mutex::default(),
            unsettled: AtomicBool::new(false),
            settling: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(super) fn subscribe(&self, queue: Option<QueueName>) -> RingReader {
        let known = self.told();
        let mut listeners = lock(&self.listeners);
        listeners.retain(|_, sender| sender.is_heard());
        let sender = listeners
            .entry(queue.clone())
            .or_insert_with(|| EventSender::of_stored(self.capacity));
        for (name, entry) in &known {
            if queue.as_ref().is_none_or(|wanted| wanted == name) {
                sender.begins(name, *entry);
            }
        }
        let events = sender.subscribe(queue);
        drop(listeners);
        self.unsettled.store(true, Ordering::SeqCst);
        self.changed.notify_one();
        events
    }

    /// Up to where each stream that is listened to was told.
    pub(super) fn told(&self) -> Vec<(QueueName, EntryId)> {
        let positions = lock(&self.positions);
        let known = positions.iter();
        known
            .filter_map(|(queue, id)| Some((queue.clone(), id.parse().ok()?)))
            .collect()
    }

    /// A queue became known; who listens to all hears it too.
    pub(super) fn queue_appeared(&self) {
        if lock(&self.listeners)
            .get(&None)
            .is_some_and(EventSender::is_heard)
        {
            self.unsettled.store(true, Ordering::SeqCst);
            self.changed.notify_one();
        }
    }

    /// The queues somebody listens to.
    fn wanted(&self, store: &Store) -> Vec<QueueName> {
        let listeners = lock(&self.listeners);
        let mut wanted = Vec::new();
        let mut all = false;
        for (queue, _) in listeners.iter().filter(|(_, sender)| sender.is_heard()) {
            match queue {
                Some(queue) => wanted.push(queue.clone()),
                None => all = true,
            }
        }
        drop(listeners);
        if all {
            wanted.extend(store.noted());
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// Notes where the wanted streams end now. Called before anything is done, so that a listener hears all
    /// that its own engine does after it began to listen. Events are extras: a failure here fails nothing.
    pub(super) async fn settle(&self, store: &Store) {
        if !self.unsettled.load(Ordering::SeqCst) {
            return;
        }
        let _one_at_a_time = self.settling.lock().await;
        if !self.unsettled.swap(false, Ordering::SeqCst) {
            return;
        }
        let wanted = self.wanted(store);
        lock(&self.positions).retain(|queue, _| wanted.contains(queue));
        let fresh: Vec<QueueName> = {
            let positions = lock(&self.positions);
            wanted
                .into_iter()
                .filter(|queue| !positions.contains_key(queue))
                .collect()
        };
        if fresh.is_empty() {
            return;
        }
        let mut ends = redis::pipe();
        for queue in &fresh {
            ends.cmd("XREVRANGE")
                .arg(store.keys.of(queue, "events"))
                .arg(&["+", "-", "COUNT", "1"]);
        }
        let Ok(answers) = store.link.pipeline(&ends).await else {
            self.unsettled.store(true, Ordering::SeqCst);
            return;
        };
        for (queue, answer) in fresh.into_iter().zip(answers) {
            let last = list(answer).into_iter().next();
            let id = last.and_then(|entry| list(entry).into_iter().next());
            let id = id.and_then(text).unwrap_or_else(|| "0-0".to_owned());
            self.begins(&queue, &id);
            lock(&self.positions).insert(queue, id);
        }
    }

    /// Tells who listens to a queue from where on it is heard.
    fn begins(&self, queue: &QueueName, id: &str) {
        let Ok(after) = id.parse() else {
            return;
        };
        let listeners = lock(&self.listeners);
        for listener in [Some(queue.clone()), None] {
            if let Some(sender) = listeners.get(&listener) {
                sender.begins(queue, after);
            }
        }
    }

    fn tell(&self, queue: &QueueName, id: &str, fields: HashMap<String, String>) {
        let Some(event) = stored_event(queue, id, fields) else {
            return;
        };
        let listeners = lock(&self.listeners);
        for listener in [Some(queue.clone()), None] {
            if let Some(sender) = listeners.get(&listener) {
                sender.send(event.clone());
            }
        }
    }
}

/// An entry of a queue's stream as an event with its place; nothing when we have no event for it.
pub(super) fn stored_event(
    queue: &QueueName,
    id: &str,
    fields: HashMap<String, String>,
) -> Option<JobEvent> {
    let id: EntryId = id.parse().ok()?;
    let at = Timestamp::from_millis(i64::try_from(id.millis).unwrap_or(i64::MAX));
    let mut event = job_event(queue, at, fields)?;
    event.cursor = EventCursor(Place::Stored {
        all: false,
        after: vec![(queue.clone(), id)],
    });
    Some(event)
}

/// The id and the fields of an entry.
pub(super) fn entry(entry: Value) -> Option<(String, HashMap<String, String>)> {
    let mut entry = list(entry).into_iter();
    let (id, fields) = (entry.next().and_then(text)?, entry.next()?);
    let mut named = HashMap::new();
    let mut fields = list(fields).into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        if let (Some(name), Some(value)) = (text(name), text(value)) {
            named.insert(name, value);
        }
    }
    Some((id, named))
}

/// Reads for as long as the engine lives.
pub(super) async fn run(store: Arc<Store>) {
    let mut connection = None;
    loop {
        let hub = &store.events;
        if hub.wanted(&store).is_empty() {
            lock(&hub.positions).clear();
            connection = None;
            hub.changed.notified().await;
            continue;
        }
        if let Err(error) = round(&store, &mut connection).await {
            connection = None;
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "cannot read events"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn round(store: &Store, connection: &mut Option<Blocking>) -> RedisResult<()> {
    let hub = &store.events;
    hub.settle(store).await;
    let wanted = hub.wanted(store);
    let positions: Vec<(QueueName, String)> = {
        let positions = lock(&hub.positions);
        let known = wanted
            .iter()
            .filter_map(|queue| positions.get_key_value(queue));
        known
            .map(|(queue, id)| (queue.clone(), id.clone()))
            .collect()
    };
    if positions.is_empty() {
        tokio::time::sleep(PAUSE).await;
        return Ok(());
    }
    let mut waiting = match connection.take() {
        Some(waiting) => waiting,
        None => Blocking::connect(&store.link.client, store.link.deadline).await?,
    };
    let mut read = redis::cmd("XREAD");
    read.arg("COUNT").arg(STEP);
    read.arg("BLOCK").arg(LONGEST_WAIT.as_millis().to_string());
    read.arg("STREAMS");
    for (queue, _) in &positions {
        read.arg(store.keys.of(queue, "events"));
    }
    for (_, id) in &positions {
        read.arg(id);
    }
    let answer = waiting
        .wait(&store.link, &read, &hub.changed, || false)
        .await?;
    *connection = Some(waiting);
    deliver(store, answer);
    Ok(())
}

/// Tells what was read and notes how far that was. The answer is a map, or an array of pairs on old protocols.
fn deliver(store: &Store, answer: Value) {
    let streams: Vec<(Value, Value)> = match answer {
        Value::Map(streams) => streams,
        other => list(other)
            .into_iter()
            .filter_map(|pair| {
                let mut pair = list(pair).into_iter();
                Some((pair.next()?, pair.next()?))
            })
            .collect(),
    };
    for (key, entries) in streams {
        let Some(queue) = text(key).and_then(|key| store.keys.queue_of(&key, "events")) else {
            continue;
        };
        for (id, fields) in list(entries).into_iter().filter_map(entry) {
            store.events.tell(&queue, &id, fields);
            if let Some(position) = lock(&store.events.positions).get_mut(&queue) {
                *position = id;
            }
        }
    }
}
