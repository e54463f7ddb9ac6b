//! Events that the store keeps, read again from a place on, as fast as the reader reads. What comes in meanwhile
//! is no more than a hint that there is more to read: nothing is skipped and nothing is held in memory but a page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use super::cursor::{EntryId, EventCursor, Place};
use super::ring::RingReader;
use super::{JobEvent, Received};
use crate::engine::Operation;
use crate::error::EngineError;
use crate::names::QueueName;

/// The wait after the store did not answer.
const PAUSE: Duration = Duration::from_millis(200);

/// The streams of a store.
pub(crate) trait EventLog: fmt::Debug + Send + Sync {
    /// Events of one queue in their order. From this call on the ring hears of what comes in later.
    fn read(&self, queue: &QueueName, from: Start) -> Operation<'static, EventPage>;

    /// The queues that are listened to, and up to where each was told to the ring.
    fn told(&self) -> Vec<(QueueName, EntryId)>;
}

/// From where the events of a queue are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// After this entry.
    After(EntryId),
    /// From this entry on.
    From(EntryId),
    /// Whatever comes first: there is no stream now.
    First,
}

/// Some events of a queue.
#[derive(Debug)]
pub(crate) struct EventPage {
    /// Whether some may be lost between the start and these.
    pub(crate) gap: bool,
    /// None in a page with a gap.
    pub(crate) events: Vec<JobEvent>,
    /// Where to go on.
    pub(crate) next: Start,
    /// Whether there is more to read already.
    pub(crate) more: bool,
}

/// A subscription that began in the past.
#[derive(Debug)]
pub(crate) struct Replay {
    log: Box<dyn EventLog>,
    news: RingReader,
    /// Whether queues that come up later belong to it.
    all: bool,
    /// Up to where the reader got the events of each queue.
    places: BTreeMap<QueueName, Start>,
    /// Queues that have more to read.
    due: BTreeSet<QueueName>,
    page: VecDeque<(EntryId, JobEvent)>,
    /// Where a queue stands once its page was read.
    after_page: Option<(QueueName, Start)>,
}

impl Replay {
    /// Begins after the entries of `after`; `news` tells of what comes in.
    pub(crate) fn new(
        log: Box<dyn EventLog>,
        news: RingReader,
        all: bool,
        after: Vec<(QueueName, EntryId)>,
    ) -> Self {
        let places: BTreeMap<_, _> = after
            .into_iter()
            .map(|(queue, entry)| (queue, Start::After(entry)))
            .collect();
        Self {
            log,
            news,
            all,
            due: places.keys().cloned().collect(),
            places,
            page: VecDeque::new(),
            after_page: None,
        }
    }

    /// The next event; `None` once the engine is gone. What is awaited may be given up at any point.
    pub(crate) async fn next(&mut self) -> Option<Received> {
        loop {
            if let Some((entry, event)) = self.page.pop_front() {
                self.places.insert(event.queue.clone(), Start::After(entry));
                return Some(Received::Event(event));
            }
            if let Some((queue, start)) = self.after_page.take() {
                self.places.insert(queue, start);
            }
            let Some(queue) = self.due.first().cloned() else {
                let news = self.news.next().await?;
                if self.heed(news) {
                    return Some(Received::Gap);
                }
                continue;
            };
            let from = self.places.get(&queue).copied().unwrap_or(Start::First);
            match self.log.read(&queue, from).await {
                Ok(page) => {
                    if self.turn_to(queue, page) {
                        return Some(Received::Gap);
                    }
                }
                Err(EngineError::Stopped) => return None,
                Err(error) => {
                    tracing::debug!(queue = %queue, error = &error as &dyn std::error::Error, "cannot read events");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Takes a page in; says whether events before it are lost.
    fn turn_to(&mut self, queue: QueueName, page: EventPage) -> bool {
        if !page.more {
            self.due.remove(&queue);
        }
        if page.gap {
            self.due.insert(queue.clone());
            self.places.insert(queue, page.next);
            return true;
        }
        let events = page.events.into_iter();
        self.page = events
            .filter_map(|event| Some((event.cursor.entry()?, event)))
            .collect();
        self.after_page = Some((queue, page.next));
        false
    }

    /// Notes which queues have more to read; says whether events of a queue not known yet are lost.
    fn heed(&mut self, first: Received) -> bool {
        let mut heard = Some(first);
        let mut gap = false;
        while let Some(news) = heard {
            match news {
                Received::Event(event) => self.heed_event(&event),
                Received::Lagged(_) | Received::Gap => gap |= self.heed_lost_news(),
            }
            heard = self.news.look();
        }
        gap
    }

    fn heed_event(&mut self, event: &JobEvent) {
        let Some(entry) = event.cursor.entry() else {
            return;
        };
        let place = self
            .places
            .entry(event.queue.clone())
            .or_insert(Start::From(entry));
        let known = matches!(place, Start::After(last) if entry <= *last);
        if !known {
            self.due.insert(event.queue.clone());
        }
    }

    /// Every queue may have more; what one had that never was read from is not known.
    fn heed_lost_news(&mut self) -> bool {
        self.due.extend(self.places.keys().cloned());
        let mut gap = false;
        if self.all {
            for (queue, entry) in self.log.told() {
                if !self.places.contains_key(&queue) {
                    self.due.insert(queue.clone());
                    self.places.insert(queue, Start::After(entry));
                    gap = true;
                }
            }
        }
        gap
    }

    /// The place up to which it was read.
    pub(crate) fn cursor(&self) -> Option<EventCursor> {
        let places = self.places.iter().map(|(queue, start)| {
            let entry = match *start {
                Start::After(entry) => entry,
                Start::From(entry) => entry.before(),
                Start::First => EntryId::START,
            };
            (queue.clone(), entry)
        });
        let after: Vec<_> = places.collect();
        let all = self.all;
        (!after.is_empty()).then_some(EventCursor(Place::Stored { all, after }))
    }
}
