//! The newest events, in memory. Recorded while somebody listens, and for a while longer, so that a reader whose
//! connection broke can go on; nobody pays for events that nobody wants.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::cursor::{EntryId, EventCursor, Place, UnknownCursor};
use super::{JobEvent, Received};
use crate::names::QueueName;

/// How long events are recorded after the last reader left.
const REMEMBER: Duration = Duration::from_mins(5);

#[derive(Debug)]
struct Ring {
    epoch: u64,
    /// The sequence number of the oldest event kept.
    first: u64,
    events: VecDeque<Arc<JobEvent>>,
    capacity: usize,
    remember: Duration,
    /// When somebody was last known to listen; none in a stream that nobody listened to yet.
    heard_at: Option<Instant>,
    /// Set when the store keeps the events too, each under an id in the stream of its queue.
    stored: Option<Stored>,
}

/// Where the ring stands in the streams of the store.
#[derive(Debug, Default)]
struct Stored {
    /// What each queue's events are told after.
    begun: Positions,
    /// The last event told of each queue.
    told: Positions,
    /// The last event of each queue that is no longer in the ring.
    dropped: Positions,
}

type Positions = BTreeMap<QueueName, EntryId>;

impl Ring {
    /// The number the next event will get.
    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    fn push(&mut self, mut event: JobEvent) {
        match (&mut self.stored, event.cursor.entry()) {
            (Some(stored), Some(entry)) => {
                stored.told.insert(event.queue.clone(), entry);
            }
            _ => {
                event.cursor = EventCursor(Place::Run {
                    epoch: self.epoch,
                    sequence: self.next(),
                });
            }
        }
        if self.events.len() >= self.capacity {
            let dropped = self.events.pop_front();
            self.first += 1;
            if let (Some(stored), Some(event)) = (&mut self.stored, dropped)
                && let Some(entry) = event.cursor.entry()
            {
                stored.dropped.insert(event.queue.clone(), entry);
            }
        }
        self.events.push_back(Arc::new(event));
    }

    /// A gap would be silent, so another stream begins.
    fn start_over(&mut self) {
        self.epoch = random_epoch();
        self.first = 1;
        self.events.clear();
        self.heard_at = None;
        self.stored = self.stored.take().map(|_| Stored::default());
    }
}

fn random_epoch() -> u64 {
    getrandom::u64().expect("the operating system gives random bytes")
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where events are told.
#[derive(Debug, Clone)]
pub(crate) struct EventSender {
    ring: Arc<Mutex<Ring>>,
    told: watch::Sender<u64>,
}

impl EventSender {
    /// Keeps the newest `capacity` events.
    pub(crate) fn new(capacity: usize) -> Self {
        Self::remembering(capacity, REMEMBER)
    }

    fn remembering(capacity: usize, remember: Duration) -> Self {
        let ring = Ring {
            epoch: random_epoch(),
            first: 1,
            events: VecDeque::new(),
            capacity: capacity.max(1),
            remember,
            heard_at: None,
            stored: None,
        };
        Self {
            ring: Arc::new(Mutex::new(ring)),
            told: watch::Sender::new(0),
        }
    }

    /// For events that come with their cursors, from streams that the store keeps.
    #[cfg(any(test, feature = "redis"))]
    pub(crate) fn of_stored(capacity: usize) -> Self {
        let sender = Self::new(capacity);
        lock(&sender.ring).stored = Some(Stored::default());
        sender
    }

    /// The events of `queue` will be told after this entry of its stream.
    #[cfg(any(test, feature = "redis"))]
    pub(crate) fn begins(&self, queue: &QueueName, after: EntryId) {
        if let Some(stored) = &mut lock(&self.ring).stored {
            stored.begun.entry(queue.clone()).or_insert(after);
            stored.told.entry(queue.clone()).or_insert(after);
        }
    }

    /// The events from now on.
    pub(crate) fn subscribe(&self, queue: Option<QueueName>) -> RingReader {
        let mut ring = lock(&self.ring);
        let next = ring.next();
        self.reader(&mut ring, next, queue)
    }

    /// The events after the one at `cursor`.
    pub(crate) fn subscribe_since(
        &self,
        queue: Option<QueueName>,
        cursor: &EventCursor,
    ) -> Result<RingReader, UnknownCursor> {
        let Place::Run { epoch, sequence } = cursor.0 else {
            return Err(UnknownCursor);
        };
        let mut ring = lock(&self.ring);
        if epoch != ring.epoch || sequence >= ring.next() {
            return Err(UnknownCursor);
        }
        Ok(self.reader(&mut ring, sequence + 1, queue))
    }

    fn reader(&self, ring: &mut Ring, next: u64, queue: Option<QueueName>) -> RingReader {
        ring.heard_at = Some(Instant::now());
        let seen = ring.stored.as_ref().map(|stored| stored.told.clone());
        RingReader {
            ring: Arc::clone(&self.ring),
            told: self.told.subscribe(),
            epoch: ring.epoch,
            next,
            queue,
            seen: seen.unwrap_or_default(),
        }
    }

    /// Whether anybody listens or may come back, so that events need not be made in vain.
    pub(crate) fn is_heard(&self) -> bool {
        let mut ring = lock(&self.ring);
        let Some(heard_at) = ring.heard_at else {
            return false;
        };
        if self.told.receiver_count() > 0 {
            ring.heard_at = Some(Instant::now());
            return true;
        }
        if heard_at.elapsed() < ring.remember {
            return true;
        }
        ring.start_over();
        false
    }

    /// Tells the events, in order.
    pub(crate) fn send_all(&self, events: Vec<JobEvent>) {
        if events.is_empty() {
            return;
        }
        let next = {
            let mut ring = lock(&self.ring);
            for event in events {
                ring.push(event);
            }
            ring.next()
        };
        self.told.send_replace(next);
    }

    /// What was just stored made no events, as nobody listened when it began; whoever came meanwhile is told
    /// that something was missed.
    pub(crate) fn send_gap(&self) {
        let next = {
            let mut ring = lock(&self.ring);
            if ring.heard_at.is_none() {
                return;
            }
            ring.first = ring.next() + 1;
            ring.events.clear();
            ring.next()
        };
        self.told.send_replace(next);
    }

    /// Tells one event.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "for engines that tell one at a time")
    )]
    pub(crate) fn send(&self, event: JobEvent) {
        self.send_all(vec![event]);
    }
}

/// Reads the ring: one queue, or all.
#[derive(Debug)]
pub(crate) struct RingReader {
    ring: Arc<Mutex<Ring>>,
    told: watch::Receiver<u64>,
    epoch: u64,
    /// The sequence number of the event to look at next.
    next: u64,
    queue: Option<QueueName>,
    /// The last event seen of each queue, where the store keeps events.
    seen: Positions,
}

impl RingReader {
    /// The next event; `None` once the engine is gone.
    pub(crate) async fn next(&mut self) -> Option<Received> {
        loop {
            // Before the look: what is told after it ends the wait.
            self.told.mark_unchanged();
            if let Some(received) = self.look() {
                return Some(received);
            }
            if self.told.changed().await.is_err() {
                return self.look();
            }
        }
    }

    /// The place up to which it was read; none while it is not known where a stream of the store ends.
    pub(crate) fn cursor(&self) -> Option<EventCursor> {
        let ring = lock(&self.ring);
        let Some(stored) = &ring.stored else {
            return Some(EventCursor(Place::Run {
                epoch: self.epoch,
                sequence: self.next.saturating_sub(1),
            }));
        };
        let mut after = stored.begun.clone();
        drop(ring);
        after.extend(
            self.seen
                .iter()
                .map(|(queue, entry)| (queue.clone(), *entry)),
        );
        let all = self.queue.is_none();
        let after: Vec<_> = after.into_iter().collect();
        (!after.is_empty()).then_some(EventCursor(Place::Stored { all, after }))
    }

    /// What is there to read now.
    pub(crate) fn look(&mut self) -> Option<Received> {
        let event = {
            let ring = lock(&self.ring);
            if self.next < ring.first {
                let missed = ring.first - self.next;
                self.next = ring.first;
                if let Some(stored) = &ring.stored {
                    let dropped = stored.dropped.iter();
                    self.seen
                        .extend(dropped.map(|(queue, entry)| (queue.clone(), *entry)));
                }
                return Some(Received::Lagged(missed));
            }
            let from = usize::try_from(self.next - ring.first).unwrap_or(usize::MAX);
            let newer = ring.events.iter().skip(from);
            let found = (0_u64..).zip(newer).find(|(_, event)| {
                self.queue
                    .as_ref()
                    .is_none_or(|queue| *queue == event.queue)
            });
            let found = found.map(|(skipped, event)| (skipped, Arc::clone(event)));
            self.next = match &found {
                Some((skipped, _)) => self.next + skipped + 1,
                None => ring.next(),
            };
            found?.1
        };
        if let Some(entry) = event.cursor.entry() {
            self.seen.insert(event.queue.clone(), entry);
        }
        Some(Received::Event((*event).clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::events::JobEventKind;

    fn event(queue: &str, at: i64) -> JobEvent {
        let queue = QueueName::new(queue).unwrap();
        JobEvent::new(
            queue,
            None,
            JobEventKind::Paused,
            Timestamp::from_millis(at),
        )
    }

    /// What is there to read now: `Ok` the time of an event, `Err` a number of lost ones.
    fn drain(events: &mut RingReader) -> Vec<Result<i64, u64>> {
        std::iter::from_fn(|| events.look())
            .map(|received| match received {
                Received::Event(event) => Ok(event.at.as_millis()),
                Received::Lagged(missed) => Err(missed),
                Received::Gap => unreachable!("a ring counts what it drops"),
            })
            .collect()
    }

    #[test]
    fn a_reader_comes_back_without_loss_or_hears_how_much_was_lost() {
        let sender = EventSender::new(3);
        let mut reader = sender.subscribe(None);
        sender.send_all(vec![event("a", 1), event("a", 2)]);
        assert_eq!(drain(&mut reader), [Ok(1), Ok(2)]);
        let cursor = reader.cursor().unwrap();
        let Place::Run { epoch, .. } = cursor.0 else {
            panic!("{cursor} is of a run");
        };
        drop(reader);
        assert!(sender.is_heard(), "it may come back");
        sender.send(event("a", 3));
        let again = |cursor: &EventCursor| {
            sender
                .subscribe_since(None, cursor)
                .map(|mut r| drain(&mut r))
        };
        assert_eq!(again(&cursor), Ok(vec![Ok(3)]));
        sender.send_all((4..8).map(|at| event("a", at)).collect());
        assert_eq!(again(&cursor), Ok(vec![Err(2), Ok(5), Ok(6), Ok(7)]));
        for (epoch, sequence) in [(epoch ^ 1, 1), (epoch, 8)] {
            let other = EventCursor(Place::Run { epoch, sequence });
            assert_eq!(again(&other), Err(UnknownCursor), "{other}");
        }
    }

    #[test]
    fn a_reader_that_came_too_late_for_what_is_stored_hears_of_a_gap() {
        let sender = EventSender::new(10);
        assert!(!sender.is_heard());
        let mut reader = sender.subscribe(None);
        sender.send_gap();
        sender.send(event("a", 1));
        assert_eq!(drain(&mut reader), [Err(1), Ok(1)]);
    }

    #[test]
    fn a_reader_of_one_queue_skips_the_others() {
        let sender = EventSender::new(10);
        let mut reader = sender.subscribe(Some(QueueName::new("a").unwrap()));
        sender.send_all(vec![event("b", 1), event("a", 2), event("b", 3)]);
        assert_eq!(drain(&mut reader), [Ok(2)]);
        let cursor = reader.cursor().unwrap();
        assert!(
            matches!(cursor.0, Place::Run { sequence: 3, .. }),
            "it need not look at them again: {cursor}"
        );
    }

    #[test]
    fn a_reader_of_stored_events_knows_its_place_in_each_stream() {
        let sender = EventSender::of_stored(2);
        let entry = |number| EntryId { millis: 1, number };
        let queue = |name: &str| QueueName::new(name).unwrap();
        let stored = |name: &str, number| JobEvent {
            cursor: EventCursor(Place::Stored {
                all: false,
                after: vec![(queue(name), entry(number))],
            }),
            ..event(name, 1)
        };
        let mut reader = sender.subscribe(None);
        let place = |reader: &RingReader| reader.cursor().map(|cursor| cursor.to_string());
        assert_eq!(place(&reader), None, "no stream's end is known");
        sender.begins(&queue("a"), entry(4));
        assert_eq!(place(&reader).unwrap(), "*:a:1-4");
        sender.send(stored("a", 5));
        sender.begins(&queue("b"), entry(1));
        sender.send(stored("b", 2));
        assert_eq!(place(&reader).unwrap(), "*:a:1-4:b:1-1");
        assert_eq!(drain(&mut reader).len(), 2);
        assert_eq!(place(&reader).unwrap(), "*:a:1-5:b:1-2");
        sender.send_all((6..9).map(|number| stored("a", number)).collect());
        assert!(matches!(reader.look(), Some(Received::Lagged(1))));
        assert_eq!(place(&reader).unwrap(), "*:a:1-6:b:1-2");
        let late = sender.subscribe(None);
        assert_eq!(place(&late).unwrap(), "*:a:1-8:b:1-2");
    }

    #[test]
    fn a_stream_that_nobody_wants_ends_and_its_cursors_are_refused() {
        let sender = EventSender::remembering(10, Duration::ZERO);
        assert!(!sender.is_heard(), "nobody ever listened");
        let reader = sender.subscribe(None);
        assert!(sender.is_heard());
        let cursor = reader.cursor().unwrap();
        drop(reader);
        assert!(!sender.is_heard());
        assert!(sender.subscribe_since(None, &cursor).is_err());
    }

    #[tokio::test]
    async fn waiting_ends_with_an_event_and_with_the_engine() {
        let sender = EventSender::new(10);
        let mut reader = sender.subscribe(None);
        let waiting = tokio::spawn(async move { (reader.next().await, reader.next().await) });
        tokio::task::yield_now().await;
        sender.send(event("a", 1));
        drop(sender);
        let (first, second) = waiting.await.unwrap();
        assert!(matches!(first, Some(Received::Event(_))), "{first:?}");
        assert!(second.is_none());
    }
}
