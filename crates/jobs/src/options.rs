//! What a caller may say about a job when adding it.

use std::time::Duration;

use crate::deduplication::Deduplication;
use crate::flow::ChildFailure;
use crate::names::{Fingerprint, GroupName, InvalidName, JobId};
use crate::retention::Retention;
use crate::retry::Backoff;

/// Recognises a repeated request: the same key with the same fingerprint gives the first job again, the
/// same key with another fingerprint is a conflict, for as long as the key is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The caller's key, 1 to 255 bytes.
    pub key: String,
    /// What the request was.
    pub fingerprint: Fingerprint,
    /// How long the key is held from the first add on.
    pub hold: Duration,
}

/// How a job is to be run. The defaults: at once, no priority, one attempt, no backoff, a random id.
///
/// ```
/// use paceline_jobs::{Backoff, JobOptions};
/// use std::time::Duration;
///
/// let options = JobOptions::new()
///     .delay(Duration::from_secs(60))
///     .attempts(5)
///     .backoff(Backoff::exponential(Duration::from_secs(2)));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct JobOptions {
    pub(crate) delay: Duration,
    pub(crate) priority: u32,
    pub(crate) attempts: Option<u32>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) id: Option<JobId>,
    pub(crate) idempotency: Option<IdempotencyKey>,
    pub(crate) keep_completed: Option<Retention>,
    pub(crate) keep_failed: Option<Retention>,
    pub(crate) lifo: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deduplication: Option<Deduplication>,
    pub(crate) keep_logs: Option<u32>,
    pub(crate) group: Option<GroupName>,
    pub(crate) on_failure: ChildFailure,
}

/// The largest priority number, as in BullMQ: 2^21 - 1. Larger ones are brought down to it.
pub const MAX_PRIORITY: u32 = (1 << 21) - 1;

impl JobOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Not before this much time has passed.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// 0 (default) is none and is served before all others; among the others the lower number is served first.
    pub const fn priority(mut self, priority: u32) -> Self {
        self.priority = if priority > MAX_PRIORITY {
            MAX_PRIORITY
        } else {
            priority
        };
        self
    }

    /// How many attempts the job may use; 0 counts as 1.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(if attempts == 0 { 1 } else { attempts });
        self
    }

    /// The wait between attempts.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// An id of the caller's own. If the queue holds a job under it, that job is returned and nothing is added.
    pub fn id(mut self, id: impl AsRef<str>) -> Result<Self, InvalidName> {
        self.id = Some(JobId::custom(id)?);
        Ok(self)
    }

    /// Makes repeats of the same request give the same job.
    pub fn idempotency(mut self, key: IdempotencyKey) -> Self {
        self.idempotency = Some(key);
        self
    }

    /// How long the job is kept once completed, instead of the engine's setting.
    pub const fn keep_completed(mut self, retention: Retention) -> Self {
        self.keep_completed = Some(retention);
        self
    }

    /// How long the job is kept once failed, instead of the engine's setting.
    pub const fn keep_failed(mut self, retention: Retention) -> Self {
        self.keep_failed = Some(retention);
        self
    }

    /// Served before those that are waiting already (with the same priority). Last in, first out.
    pub const fn lifo(mut self) -> Self {
        self.lifo = true;
        self
    }

    /// How long one attempt may take; longer, it is cancelled and counts as failed. Default: no bound.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Recognises adds of the same work.
    pub fn deduplication(mut self, deduplication: Deduplication) -> Self {
        self.deduplication = Some(deduplication);
        self
    }

    /// How many log lines are kept, the newest. Default: the engine's limit.
    pub const fn keep_logs(mut self, lines: u32) -> Self {
        self.keep_logs = Some(lines);
        self
    }

    /// The group the job is served with: groups take turns, one job a turn, and each has bounds of its own
    /// ([`QueueSettings`](crate::QueueSettings)). A group that becomes ready stands behind those that wait
    /// already. The jobs without a group are one more line, which takes its turn like a group but has no bounds.
    /// Priority and order of arrival hold inside a group.
    pub fn group(mut self, group: GroupName) -> Self {
        self.group = Some(group);
        self
    }

    /// In a flow: what its failure means for the job that waits for it. Default [`ChildFailure::ParentWaits`].
    pub const fn on_failure(mut self, failure: ChildFailure) -> Self {
        self.on_failure = failure;
        self
    }
}
