//! One attempt under way, shared by its task, its handler, the renewals and the stop.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::course::{CancelReason, Course, Step};
use crate::engine::Lease;

/// One attempt under way.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its key among the jobs of the worker.
    pub(super) number: u64,
    pub(super) lease: Lease,
    /// How long it may take.
    pub(super) timeout: Option<Duration>,
    course: Mutex<Course>,
    changed: Notify,
}

impl Attempt {
    pub(super) fn new(number: u64, lease: Lease, timeout: Option<Duration>) -> Self {
        Self {
            number,
            lease,
            timeout,
            course: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler starts: its timeout runs from now on. Says when it is over.
    pub(super) fn begin(&self, now: Instant) -> Option<Instant> {
        let deadline = now.checked_add(self.timeout?);
        self.course().deadline = deadline;
        deadline
    }

    /// Tells the handler to give up. The first reason stands.
    pub(super) fn cancel(&self, reason: CancelReason, now: Instant) {
        let mut course = self.course();
        if !course.ended && course.cancelled.is_none() {
            course.cancelled = Some((reason, now));
            drop(course);
            self.changed.notify_waiters();
        }
    }

    pub(super) fn reason(&self) -> Option<CancelReason> {
        self.course().reason()
    }

    /// Takes the right to say how it ended; false when somebody else took it before.
    pub(super) fn end(&self) -> bool {
        !std::mem::replace(&mut self.course().ended, true)
    }

    /// It is not held any more.
    pub(super) fn release(&self) {
        let mut course = self.course();
        course.ended = true;
        course.released = true;
    }

    /// Whether its lease is to be renewed.
    pub(super) fn is_held(&self) -> bool {
        !self.course().released
    }

    /// Takes the step that is due at `now`.
    pub(super) fn advance(&self, now: Instant) -> Step {
        let mut course = self.course();
        let step = course.step(now);
        match step {
            Step::Wait(_) => return step,
            Step::Cancel => course.cancelled = Some((CancelReason::Timeout, now)),
            Step::Abort => course.aborted = Some(now),
            Step::GiveUp => {}
        }
        drop(course);
        self.changed.notify_waiters();
        step
    }

    /// Completes when the handler is told to give up.
    pub(super) async fn cancelled(&self) {
        self.reached(|course| course.cancelled.is_some()).await;
    }

    /// Completes when the handler is to be dropped.
    pub(super) async fn aborted(&self) {
        self.reached(|course| course.aborted.is_some()).await;
    }

    async fn reached(&self, is_there: impl Fn(&Course) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if is_there(&self.course()) {
                return;
            }
            changed.await;
        }
    }
}
