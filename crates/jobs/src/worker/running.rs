//! What the parts of a worker share, and the jobs it holds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::course::CancelReason;
use super::finish::Endings;
use super::health::Pulse;
use super::renew::Alarm;
use super::settings::Settings;
use super::slots::Slots;
use crate::engine::{EngineHandle, Lease};
use crate::names::{LeaseToken, QueueName};

/// The shortest wait for an answer of the engine before it counts as failed.
const ANSWER_BOUND: Duration = Duration::from_secs(5);

/// What the parts of one worker share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) engine: EngineHandle,
    pub(super) queue: QueueName,
    pub(super) token: LeaseToken,
    pub(super) settings: Settings,
    pub(super) slots: Arc<Slots>,
    pub(super) running: Running,
    pub(super) endings: Endings,
    pub(super) alarm: Alarm,
    pub(super) pulse: Pulse,
    /// No further jobs are taken.
    pub(super) stopping: CancellationToken,
    /// The grace of a stop is over.
    pub(super) hurry: CancellationToken,
    /// No job is held and none will be.
    pub(super) done: CancellationToken,
    /// Jobs that ended by themselves, and that were given back, after the stop began.
    pub(super) finished: AtomicUsize,
    pub(super) handed_back: AtomicUsize,
}

impl Shared {
    pub(super) fn new(engine: EngineHandle, queue: QueueName, settings: Settings) -> Self {
        Self {
            engine,
            queue,
            token: LeaseToken::random(),
            slots: Slots::new(settings.concurrency),
            settings,
            running: Running::default(),
            endings: Endings::default(),
            alarm: Alarm::default(),
            pulse: Pulse::default(),
            stopping: CancellationToken::new(),
            hurry: CancellationToken::new(),
            done: CancellationToken::new(),
            finished: AtomicUsize::new(0),
            handed_back: AtomicUsize::new(0),
        }
    }

    /// How long an answer of the engine is waited for. What a claim took is lost after the lease anyway.
    pub(super) fn answer_bound(&self) -> Duration {
        self.settings.lease.max(ANSWER_BOUND)
    }

    /// The handler of `attempt` starts.
    pub(super) fn begin(&self, attempt: &Attempt) {
        if attempt.timeout.is_some()
            && let Some(deadline) = attempt.begin(Instant::now())
        {
            self.alarm.set(deadline);
        }
    }

    /// Tells a handler to give up; its time to react runs from now on.
    pub(super) fn cancel(&self, attempt: &Attempt, reason: CancelReason) {
        let now = Instant::now();
        attempt.cancel(reason, now);
        self.alarm.set(now);
    }

    /// Waits until no job is held and no place is used.
    pub(super) async fn idle(&self) {
        loop {
            self.slots.empty().await;
            self.running.empty().await;
            if self.slots.used() == 0 {
                return;
            }
        }
    }

    pub(super) fn note_end(&self, given_back: bool) {
        if self.stopping.is_cancelled() {
            let counter = if given_back {
                &self.handed_back
            } else {
                &self.finished
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The jobs held, by a number of their own: the same job may be taken again while its lost attempt runs.
#[derive(Debug, Default)]
pub(super) struct Running {
    jobs: Mutex<Jobs>,
    /// Told when the last job is gone.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Jobs {
    next: u64,
    held: HashMap<u64, Arc<Attempt>>,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes jobs just taken.
    pub(super) fn enter(
        &self,
        leases: impl IntoIterator<Item = (Lease, Option<Duration>)>,
    ) -> Vec<Arc<Attempt>> {
        let mut jobs = self.lock();
        let enter = |(lease, timeout)| {
            jobs.next += 1;
            let attempt = Arc::new(Attempt::new(jobs.next, lease, timeout));
            let number = jobs.next;
            jobs.held.insert(number, Arc::clone(&attempt));
            attempt
        };
        leases.into_iter().map(enter).collect()
    }

    pub(super) fn leave<'a>(&self, attempts: impl IntoIterator<Item = &'a Arc<Attempt>>) {
        let mut jobs = self.lock();
        for attempt in attempts {
            jobs.held.remove(&attempt.number);
        }
        if jobs.held.is_empty() {
            drop(jobs);
            self.emptied.notify_waiters();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().held.len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Attempt>> {
        self.lock().held.values().cloned().collect()
    }

    /// Waits until no job is held.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }
}
