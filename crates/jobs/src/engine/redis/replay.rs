//! Events read again from the queues' streams, for subscriptions that begin in the past.

use std::sync::{Arc, Weak};

use super::events::{STEP, entry, stored_event};
use super::io::IoThread;
use super::reply::{Parts, list};
use super::script::EVENTS;
use super::store::Store;
use crate::engine::Operation;
use crate::error::EngineError;
use crate::events::{
    EntryId, EventCursor, EventLog, EventPage, Place, QueueEvents, Replay, Start, UnknownCursor,
};
use crate::names::QueueName;

/// Entries a stream has after it was trimmed, at least: Redis cuts off whole nodes of so many.
const NODE: u64 = 100;

/// A subscription that goes on after `cursor`.
pub(super) fn since(
    store: &Arc<Store>,
    thread: &Arc<IoThread>,
    queue: Option<QueueName>,
    cursor: &EventCursor,
) -> Result<QueueEvents, UnknownCursor> {
    let Place::Stored { all, after } = &cursor.0 else {
        return Err(UnknownCursor);
    };
    let after: Vec<(QueueName, EntryId)> = match &queue {
        // In the place of one queue nothing is said of the others.
        None if !all => return Err(UnknownCursor),
        None => after.clone(),
        Some(queue) => {
            let mine = after.iter().filter(|(name, _)| name == queue);
            mine.cloned().collect()
        }
    };
    if after.is_empty() {
        return Err(UnknownCursor);
    }
    for (name, _) in &after {
        store.note(name);
    }
    let log = Streams {
        store: Arc::downgrade(store),
        thread: Arc::downgrade(thread),
    };
    let all = queue.is_none();
    let news = store.events.subscribe(queue);
    Ok(Replay::new(Box::new(log), news, all, after).into())
}

/// The streams. An engine that nobody uses any more is not kept alive by who reads its events.
#[derive(Debug)]
struct Streams {
    store: Weak<Store>,
    thread: Weak<IoThread>,
}

impl EventLog for Streams {
    fn read(&self, queue: &QueueName, from: Start) -> Operation<'static, EventPage> {
        let (Some(store), Some(thread)) = (self.store.upgrade(), self.thread.upgrade()) else {
            return Box::pin(async { Err(EngineError::Stopped) });
        };
        let queue = queue.clone();
        thread.run(async move { read(&store, &queue, from).await })
    }

    fn told(&self) -> Vec<(QueueName, EntryId)> {
        let store = self.store.upgrade();
        store.map(|store| store.events.told()).unwrap_or_default()
    }
}

async fn read(store: &Store, queue: &QueueName, from: Start) -> Result<EventPage, EngineError> {
    let start = match from {
        Start::After(entry) => format!("({entry}"),
        Start::From(entry) => entry.to_string(),
        Start::First => "-".to_owned(),
    };
    let call = store.script(&EVENTS, queue).arg(start).arg(STEP);
    let mut answer = Parts::of(store.call(queue, &call).await?);
    let id = |text: Option<String>| text.and_then(|id| id.parse().ok());
    let stream = Stream {
        first: id(answer.some_text()?),
        last: id(answer.some_text()?),
        length: number(answer.some_text()?).unwrap_or(0),
        added: number(answer.some_text()?),
    };
    if let Some(next) = stream.gap(from) {
        return Ok(EventPage {
            gap: true,
            events: Vec::new(),
            next,
            more: true,
        });
    }
    let entries = list(answer.next()?);
    let (mut events, mut next) = (Vec::new(), from);
    let more = entries.len() >= STEP;
    for (id, fields) in entries.into_iter().filter_map(entry) {
        if let Ok(id) = id.parse() {
            next = Start::After(id);
        }
        events.extend(stored_event(queue, &id, fields));
    }
    Ok(EventPage {
        gap: false,
        events,
        next,
        more,
    })
}

fn number(text: Option<String>) -> Option<u64> {
    text.and_then(|number| number.parse().ok())
}

/// What is known of a queue's stream.
#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    /// Its first entry; none when it is empty.
    first: Option<EntryId>,
    /// The last id it gave; none when there is no stream.
    last: Option<EntryId>,
    length: u64,
    /// How many entries it ever had; Redis before 7 does not know.
    added: Option<u64>,
}

impl Stream {
    /// Whether entries that were wanted may be gone, and from where there are some: after what was trimmed
    /// away, or from the start of a stream that was made anew.
    fn gap(&self, from: Start) -> Option<Start> {
        let Some(last) = self.last else {
            let wanted =
                matches!(from, Start::After(entry) | Start::From(entry) if entry != EntryId::START);
            return wanted.then_some(Start::First);
        };
        let is_gap = match from {
            Start::First => return None,
            Start::After(entry) | Start::From(entry) if entry > last => return Some(Start::First),
            Start::After(entry) if entry == last => false,
            Start::After(EntryId::START) => match self.added {
                Some(added) => added > self.length,
                None => self.length >= NODE,
            },
            Start::After(entry) | Start::From(entry) => {
                self.first.is_none_or(|first| first > entry)
            }
        };
        is_gap.then(|| self.first.map_or(Start::After(last), Start::From))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> EntryId {
        EntryId { millis, number: 0 }
    }

    fn check(stream: Stream, from: Start, gap: Option<Start>) {
        assert_eq!(stream.gap(from), gap, "{stream:?} {from:?}");
    }

    #[test]
    fn what_may_be_lost_is_a_gap() {
        use Start::{After, First, From};
        let whole = Stream {
            first: Some(at(10)),
            last: Some(at(20)),
            length: 5,
            added: Some(5),
        };
        let trimmed = Stream {
            added: Some(9),
            ..whole
        };
        check(whole, After(at(10)), None);
        check(whole, From(at(10)), None);
        check(whole, After(at(20)), None);
        check(whole, After(EntryId::START), None);
        check(trimmed, After(EntryId::START), Some(From(at(10))));
        check(trimmed, After(at(9)), Some(From(at(10))));
        check(trimmed, From(at(9)), Some(From(at(10))));
        check(trimmed, First, None);
        // Redis 6.2 does not say how many there were.
        let unknown = |length| Stream {
            added: None,
            length,
            ..whole
        };
        check(unknown(99), After(EntryId::START), None);
        check(unknown(100), After(EntryId::START), Some(From(at(10))));
    }

    #[test]
    fn a_stream_that_was_emptied_or_made_anew_is_a_gap() {
        use Start::{After, First, From};
        let empty = Stream {
            first: None,
            last: Some(at(20)),
            length: 0,
            added: Some(5),
        };
        check(empty, After(at(20)), None);
        check(empty, After(at(10)), Some(After(at(20))));
        check(empty, From(at(10)), Some(After(at(20))));
        let none = Stream::default();
        check(none, After(EntryId::START), None);
        check(none, After(at(10)), Some(First));
        let anew = Stream {
            first: Some(at(3)),
            last: Some(at(4)),
            length: 2,
            added: Some(2),
        };
        check(anew, After(at(10)), Some(First));
    }
}
