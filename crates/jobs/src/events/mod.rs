//! What happens to jobs, told after it is stored. Bounded: a reader that falls behind is told how much it
//! missed instead of holding memory. On a file only what this process's engine does is told (look at the
//! snapshots to learn what other processes did), on Redis what every program does, BullMQ's too.
//!
//! Each event has a cursor. A reader that comes back with the cursor of the last event it saw goes on after it
//! ([`Engine::events_since`](crate::Engine::events_since)): on a file for as long as the engine runs and
//! remembers, on Redis also in another process, for as long as the stream reaches back (BullMQ keeps about
//! 10,000 entries a queue).

mod cursor;
#[cfg(feature = "redis")]
mod replay;
mod ring;
mod subscription;

#[cfg(feature = "redis")]
pub(crate) use cursor::EntryId;
pub(crate) use cursor::Place;
pub use cursor::{EventCursor, UnknownCursor};
#[cfg(feature = "redis")]
pub(crate) use replay::{EventLog, EventPage, Replay, Start};
pub(crate) use ring::EventSender;
#[cfg(feature = "redis")]
pub(crate) use ring::RingReader;
pub use subscription::QueueEvents;

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

/// One event.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct JobEvent {
    /// Its place in the stream. On Redis that is the stream of its queue, also in a subscription to all queues:
    /// [`QueueEvents::cursor`] says where such a subscription stands.
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
            cursor: EventCursor(Place::Run {
                epoch: 0,
                sequence: 0,
            }),
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
    /// Events between the cursor and the next event may be gone, nobody knows how many: the store's stream was
    /// trimmed or deleted meanwhile. Look at the jobs.
    Gap,
}
