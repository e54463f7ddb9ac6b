//! What happens to jobs, told after it is stored. Bounded: a reader that falls behind is told how much it
//! missed instead of holding memory. Only what this process's engine does is told; look at the
//! snapshots to learn what other processes did.

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::broadcast;

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
    pub(crate) const fn new(
        queue: QueueName,
        id: Option<JobId>,
        event: JobEventKind,
        at: Timestamp,
    ) -> Self {
        Self {
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

/// A subscription to the events of one queue, or of all.
#[derive(Debug)]
pub struct QueueEvents {
    receiver: broadcast::Receiver<JobEvent>,
    queue: Option<QueueName>,
}

impl QueueEvents {
    /// The next event; `None` once the engine is gone.
    pub async fn next(&mut self) -> Option<Received> {
        loop {
            match self.receiver.recv().await {
                Ok(event) if self.queue.as_ref().is_some_and(|name| *name != event.queue) => {}
                Ok(event) => return Some(Received::Event(event)),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    return Some(Received::Lagged(missed));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// Where events are told.
#[derive(Debug, Clone)]
pub(crate) struct EventSender(broadcast::Sender<JobEvent>);

impl EventSender {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(broadcast::channel(capacity.max(1)).0)
    }

    pub(crate) fn subscribe(&self, queue: Option<QueueName>) -> QueueEvents {
        QueueEvents {
            receiver: self.0.subscribe(),
            queue,
        }
    }

    /// Whether anybody listens, so that events need not be made in vain.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn send(&self, event: JobEvent) {
        // An error only says that nobody listens.
        let _ = self.0.send(event);
    }
}
