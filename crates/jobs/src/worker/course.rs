//! What becomes of an attempt that is to be given up: a pure function of its course and the time.

use std::time::{Duration, Instant};

/// How long a handler gets to react once it is told to give up, and again once it is dropped.
pub(super) const REACTION: Duration = Duration::from_secs(1);

/// Why a job is to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelReason {
    /// The lease ended: another worker may have the job, and what this one still says does not count.
    LeaseLost,
    /// The attempt took longer than the job's timeout.
    Timeout,
    /// Somebody asked for it, by [`Queue::cancel`](crate::Queue::cancel).
    Requested,
    /// The worker stops and its grace is over.
    Stopping,
}

/// What happened to an attempt so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Course {
    /// When its timeout is over.
    pub(super) deadline: Option<Instant>,
    /// Since when it is told to give up, and why.
    pub(super) cancelled: Option<(CancelReason, Instant)>,
    /// Since when its handler is to be dropped at its next await.
    pub(super) aborted: Option<Instant>,
    /// How it ends is decided; nobody decides it again.
    pub(super) ended: bool,
    /// It is not held any more: no renewals.
    pub(super) released: bool,
}

/// What is to be done about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing before this time, if ever.
    Wait(Option<Instant>),
    /// Tell the handler to give up: its timeout is over.
    Cancel,
    /// Drop the handler at its next await.
    Abort,
    /// The handler never awaits: go on without it.
    GiveUp,
}

impl Course {
    /// The next step at `now`.
    pub(super) fn step(&self, now: Instant) -> Step {
        if self.ended {
            return Step::Wait(None);
        }
        let (at, step) = match (self.aborted, self.cancelled, self.deadline) {
            (Some(aborted), _, _) => (aborted + REACTION, Step::GiveUp),
            (None, Some((_, cancelled)), _) => (cancelled + REACTION, Step::Abort),
            (None, None, Some(deadline)) => (deadline, Step::Cancel),
            (None, None, None) => return Step::Wait(None),
        };
        if now >= at {
            step
        } else {
            Step::Wait(Some(at))
        }
    }

    /// The reason it was told, if it was.
    pub(super) fn reason(&self) -> Option<CancelReason> {
        self.cancelled.map(|(reason, _)| reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_told_then_dropped_then_left_behind() {
        let begin = Instant::now();
        let after = |millis| begin + Duration::from_millis(millis);
        let timed = Course {
            deadline: Some(after(5_000)),
            ..Course::default()
        };
        let told = Course {
            cancelled: Some((CancelReason::Timeout, after(5_000))),
            ..timed
        };
        let dropped = Course {
            aborted: Some(after(6_000)),
            ..told
        };
        let over = Course {
            ended: true,
            ..dropped
        };
        for (course, at, expected) in [
            (Course::default(), 60_000, Step::Wait(None)),
            (timed, 4_999, Step::Wait(Some(after(5_000)))),
            (timed, 5_000, Step::Cancel),
            (told, 5_999, Step::Wait(Some(after(6_000)))),
            (told, 6_000, Step::Abort),
            (dropped, 6_999, Step::Wait(Some(after(7_000)))),
            (dropped, 7_000, Step::GiveUp),
            (over, 60_000, Step::Wait(None)),
        ] {
            assert_eq!(course.step(after(at)), expected, "{course:?} after {at} ms");
        }
    }
}
