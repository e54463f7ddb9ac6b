//! Events of all programs, read from the queues' streams on connections of their own, one a slot, and only
//! while somebody listens.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use redis::Value;
use tokio::sync::Notify;

use super::blocking::{Blocking, LONGEST_WAIT};
use super::event_names::job_event;
use super::fault::RedisFault;
use super::per_slot::PerSlot;
use super::reply::{list, text};
use super::store::{Store, lock};
use super::topology::Slot;
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
    /// Slots with a stream that is wanted and whose position is not known yet.
    unsettled: Mutex<HashSet<Slot>>,
    settling: Mutex<HashMap<Slot, Arc<tokio::sync::Mutex<()>>>>,
    changed: Notify,
}

impl EventHub {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            listeners: Mutex::default(),
            positions: Mutex::default(),
            unsettled: Mutex::default(),
            settling: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Begins to tell of one queue or of all, whose streams lie in `slots`.
    pub(super) fn subscribe(
        &self,
        queue: Option<QueueName>,
        slots: impl IntoIterator<Item = Slot>,
    ) -> RingReader {
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
        lock(&self.unsettled).extend(slots);
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
    pub(super) fn queue_appeared(&self, slot: Slot) {
        if lock(&self.listeners)
            .get(&None)
            .is_some_and(EventSender::is_heard)
        {
            lock(&self.unsettled).insert(slot);
            self.changed.notify_one();
        }
    }

    /// The queues somebody listens to.
    fn wanted(&self, store: &Store) -> BTreeSet<QueueName> {
        let listeners = lock(&self.listeners);
        let mut wanted = BTreeSet::new();
        let mut all = false;
        for (queue, _) in listeners.iter().filter(|(_, sender)| sender.is_heard()) {
            match queue {
                Some(queue) => _ = wanted.insert(queue.clone()),
                None => all = true,
            }
        }
        drop(listeners);
        if all {
            wanted.extend(store.noted());
        }
        wanted.retain(|queue| store.place(queue).is_ok());
        wanted
    }

    fn wanted_in(&self, store: &Store, slot: Slot) -> BTreeSet<QueueName> {
        let mut wanted = self.wanted(store);
        wanted.retain(|queue| store.slot(queue) == slot);
        wanted
    }

    /// Notes where the wanted streams of a slot end now. Called before anything is done there, so that a
    /// listener hears all that its own engine does after it began to listen. Events are extras: a failure here
    /// fails nothing.
    pub(super) async fn settle(&self, store: &Store, slot: Slot) {
        if !lock(&self.unsettled).contains(&slot) {
            return;
        }
        let turn = Arc::clone(lock(&self.settling).entry(slot).or_default());
        let _one_at_a_time = turn.lock().await;
        if !lock(&self.unsettled).remove(&slot) {
            return;
        }
        let wanted = self.wanted_in(store, slot);
        let fresh: Vec<QueueName> = {
            let mut positions = lock(&self.positions);
            positions.retain(|queue, _| wanted.contains(queue) || store.slot(queue) != slot);
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
        let Ok(answers) = store.link.pipeline(slot, &ends).await else {
            lock(&self.unsettled).insert(slot);
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
    let mut readers = PerSlot::default();
    loop {
        let wanted = store.events.wanted(&store);
        let slots: BTreeSet<Slot> = wanted.iter().map(|queue| store.slot(queue)).collect();
        readers.tell(slots, |slot, changed| {
            read(Arc::clone(&store), slot, changed)
        });
        store.events.changed.notified().await;
    }
}

/// Reads the streams of one slot.
async fn read(store: Arc<Store>, slot: Slot, changed: Arc<Notify>) {
    let mut connection = None;
    loop {
        let hub = &store.events;
        if hub.wanted_in(&store, slot).is_empty() {
            lock(&hub.positions).retain(|queue, _| store.slot(queue) != slot);
            connection = None;
            changed.notified().await;
            continue;
        }
        if let Err(error) = round(&store, slot, &changed, &mut connection).await {
            connection = None;
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "cannot read events"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn round(
    store: &Store,
    slot: Slot,
    changed: &Notify,
    connection: &mut Option<Blocking>,
) -> Result<(), RedisFault> {
    let hub = &store.events;
    hub.settle(store, slot).await;
    let wanted = hub.wanted_in(store, slot);
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
        None => Blocking::connect(&store.link, slot).await?,
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
    let answer = waiting.wait(&store.link, &read, changed, || false).await?;
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
