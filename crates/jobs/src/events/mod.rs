//! What happens to jobs, told after it is stored. Bounded: a reader that falls behind is told how much it
//! missed instead of holding memory. Only what this process's engine does is told; look at the
//! snapshots to learn what other processes did.
//!
//! Each event has a cursor. A reader that comes back with the cursor of the last event it saw goes on after it
//! ([`Engine::events_since`](crate::Engine::events_since)), for as long as the engine runs and remembers.

mod ring;

pub(crate) use ring::EventSender;
pub use ring::QueueEvents;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::names::{JobId, QueueName};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobEventKind {
    /// A job was added.
    Added,
    /// An add gave this job, which holds the deduplication id; the added one was dropped, or kept for later.
    Deduplicated,
    /// A delayed job became ready, its children are done, or a failed one was retried by hand.
    Waiting,
    /// The handler asked to go on when the job's children are done.
    WaitingChildren,
    /// A worker took it.
    Active,
    /// The handler reported progress.
    Progress,
    /// It completed.
    Completed,
    /// It failed for good.
    Failed,
    /// An attempt failed and another will follow.
    Retrying,
    /// The handler asked to go on later.
    Postponed,
    /// Its lease ran out or its process died; it waits again.
    Stalled,
    /// Its worker stopped and gave it back.
    HandedBack,
    /// It was removed by hand.
    Removed,
    /// The queue was paused.
    Paused,
    /// The queue was resumed.
    Resumed,
}

/// The place of an event in the stream of an engine. Its text form is for keeping it elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventCursor {
    /// Which stream: another one after each start, and after a long while in which nobody listened.
    pub(crate) epoch: u64,
    /// Counts the events of a stream from 1; 0 is before the first.
    pub(crate) sequence: u64,
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.sequence)
    }
}

/// The events after this cursor are not to be had: it is of another run of the engine, or nobody listened for
/// long. Look at the jobs instead, and listen from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event cursor is of another run of the job engine: look at the jobs and listen from now on"
)]
pub struct UnknownCursor;

impl FromStr for EventCursor {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<Self, UnknownCursor> {
        let (epoch, sequence) = text.split_once('-').ok_or(UnknownCursor)?;
        Ok(Self {
            epoch: u64::from_str_radix(epoch, 16).map_err(|_| UnknownCursor)?,
            sequence: sequence.parse().map_err(|_| UnknownCursor)?,
        })
    }
}

/// One event.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct JobEvent {
    /// Its place in the stream.
    #[serde(skip)]
    pub cursor: EventCursor,
    /// The queue.
    pub queue: QueueName,
    /// The job; none when the event is about the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// What happened.
    pub event: JobEventKind,
    /// When.
    pub at: Timestamp,
    /// The reported progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Box<RawValue>>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl JobEvent {
    /// An event that gets its place when it is told.
    pub(crate) const fn new(
        queue: QueueName,
        id: Option<JobId>,
        event: JobEventKind,
        at: Timestamp,
    ) -> Self {
        Self {
            cursor: EventCursor {
                epoch: 0,
                sequence: 0,
            },
            queue,
            id,
            event,
            at,
            progress: None,
            error: None,
        }
    }
}

/// What a subscription gives.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "the small variant is the rare one"
)]
pub enum Received {
    /// The next event.
    Event(JobEvent),
    /// The reader was too slow; this many events were dropped.
    Lagged(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text_and_other_text_is_refused() {
        let cursor = EventCursor {
            epoch: 0xABC,
            sequence: 17,
        };
        assert_eq!(cursor.to_string(), "0000000000000abc-17");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in ["", "17", "-", "x-1", "abc-", "abc--1"] {
            assert_eq!(bad.parse::<EventCursor>(), Err(UnknownCursor), "{bad:?}");
        }
    }
}
