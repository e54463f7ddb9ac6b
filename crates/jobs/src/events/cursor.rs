//! Places in the stream of events, and their text form.

use std::fmt;
use std::str::FromStr;

use crate::names::QueueName;

/// The place of an event in a stream of events. Its text form is for keeping it elsewhere; nothing but the
/// store that gave it has a use for it.
///
/// | store | text | holds |
/// |---|---|---|
/// | a file | `{run}-{number}`: 16 hexadecimal digits, then the number of the event in that run | as long as the engine runs, and remembers |
/// | Redis, one queue | `{queue}:{entry}`: the entry's id in the stream `{prefix}:{queue}:events` | until the stream is deleted, also for other processes |
/// | Redis, all queues | `*:{queue}:{entry}:{queue}:{entry}...` | the same |
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventCursor(pub(crate) Place);

/// What a cursor says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// In the memory of an engine.
    Run {
        /// Which stream: another one after each start, and after a long while in which nobody listened.
        epoch: u64,
        /// Counts the events of a stream from 1; 0 is before the first.
        sequence: u64,
    },
    /// After these entries of streams that the store keeps.
    Stored {
        /// Whether it is of a subscription to all queues.
        all: bool,
        /// By queue, at least one.
        after: Vec<(QueueName, EntryId)>,
    },
}

/// The id of an entry in a stream of Redis: the time it came in milliseconds, and which one of that millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EntryId {
    pub(crate) millis: u64,
    pub(crate) number: u64,
}

#[cfg(any(test, feature = "redis"))]
impl EntryId {
    /// Before every entry.
    pub(crate) const START: Self = Self {
        millis: 0,
        number: 0,
    };

    /// The greatest id below this one.
    pub(crate) fn before(self) -> Self {
        match (self.millis, self.number) {
            (_, 1..) => Self {
                number: self.number - 1,
                ..self
            },
            (1.., 0) => Self {
                millis: self.millis - 1,
                number: u64::MAX,
            },
            (0, 0) => Self::START,
        }
    }
}

impl EventCursor {
    /// The entry it names in the stream of one queue.
    pub(crate) fn entry(&self) -> Option<EntryId> {
        match &self.0 {
            Place::Stored { after, .. } => after.first().map(|(_, entry)| *entry),
            Place::Run { .. } => None,
        }
    }
}

/// There is no such place in these events: the cursor is of another run of the engine, of another store or
/// queue, or nobody listened for long. Look at the jobs instead, and listen from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event cursor names no place in these events (another run of the job engine, another store, another queue): look at the jobs and listen from now on"
)]
pub struct UnknownCursor;

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

impl FromStr for EntryId {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<Self, UnknownCursor> {
        let (millis, number) = text.split_once('-').ok_or(UnknownCursor)?;
        Ok(Self {
            millis: digits(millis)?,
            number: digits(number)?,
        })
    }
}

/// A decimal number without a sign.
fn digits(text: &str) -> Result<u64, UnknownCursor> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UnknownCursor);
    }
    text.parse().map_err(|_| UnknownCursor)
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Run { epoch, sequence } => write!(f, "{epoch:016x}-{sequence}"),
            Place::Stored { all, after } => {
                if *all {
                    f.write_str("*")?;
                }
                for (number, (queue, entry)) in after.iter().enumerate() {
                    let separator = if *all || number > 0 { ":" } else { "" };
                    write!(f, "{separator}{queue}:{entry}")?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for EventCursor {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<Self, UnknownCursor> {
        if text.contains(':') {
            return stored(text);
        }
        let (epoch, sequence) = text.split_once('-').ok_or(UnknownCursor)?;
        let of_a_run = epoch.len() == 16 && epoch.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !of_a_run {
            return Err(UnknownCursor);
        }
        Ok(Self(Place::Run {
            epoch: u64::from_str_radix(epoch, 16).map_err(|_| UnknownCursor)?,
            sequence: digits(sequence)?,
        }))
    }
}

/// Names of queues hold no colon.
fn stored(text: &str) -> Result<EventCursor, UnknownCursor> {
    let (all, rest) = match text.strip_prefix("*:") {
        // A queue may be called `*`.
        Some(rest) if rest.contains(':') => (true, rest),
        _ => (false, text),
    };
    let mut parts = rest.split(':');
    let mut after = Vec::new();
    while let Some(queue) = parts.next() {
        let queue = QueueName::new(queue).map_err(|_| UnknownCursor)?;
        let entry = parts.next().ok_or(UnknownCursor)?.parse()?;
        after.push((queue, entry));
    }
    if !all && after.len() > 1 {
        return Err(UnknownCursor);
    }
    Ok(EventCursor(Place::Stored { all, after }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(millis: u64, number: u64) -> EntryId {
        EntryId { millis, number }
    }

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        let queue = |name| QueueName::new(name).unwrap();
        let run = Place::Run {
            epoch: 0xABC,
            sequence: 17,
        };
        let of = |all, after| Place::Stored { all, after };
        for (place, text) in [
            (run, "0000000000000abc-17"),
            (
                of(false, vec![(queue("a-1"), entry(1_764_000_000_000, 3))]),
                "a-1:1764000000000-3",
            ),
            (
                of(
                    true,
                    vec![(queue("a"), entry(5, 0)), (queue("b"), entry(7, 2))],
                ),
                "*:a:5-0:b:7-2",
            ),
            (of(true, vec![(queue("*"), entry(5, 0))]), "*:*:5-0"),
            (of(false, vec![(queue("*"), entry(5, 0))]), "*:5-0"),
        ] {
            let cursor = EventCursor(place);
            assert_eq!(cursor.to_string(), text);
            assert_eq!(text.parse(), Ok(cursor), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        let bad = [
            "",
            "17",
            "-",
            "x-1",
            "abc-",
            "abc--1",
            "a:b",
            "a:1",
            "a:1-",
            "a:+1-2",
            "a:1-2:b",
            "a:1-2:b:3-4",
            "*:",
            "*:a",
            "*:a:1",
            ":1-2",
            "0000000000000abc-+1",
        ];
        for bad in bad {
            assert_eq!(bad.parse::<EventCursor>(), Err(UnknownCursor), "{bad:?}");
        }
    }

    #[test]
    fn before_an_entry_is_the_greatest_id_below_it() {
        assert_eq!(entry(5, 3).before(), entry(5, 2));
        assert_eq!(entry(5, 0).before(), entry(4, u64::MAX));
        assert_eq!(EntryId::START.before(), EntryId::START);
    }
}
