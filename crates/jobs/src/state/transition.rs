use std::time::Duration;

use super::State;
use crate::clock::Timestamp;
use crate::retry::{Backoff, MAX_BACKOFF};
use crate::snapshot::AttemptOutcome;

/// What the state machine needs to know about a job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JobFacts {
    /// Where it stands.
    pub state: State,
    /// 0 is none; a lower number is served earlier.
    pub priority: u32,
    /// Attempts used up so far.
    pub attempts_made: u32,
    /// Attempts it may use, at least 1.
    pub max_attempts: u32,
    /// How often its lease ran out.
    pub stalls: u32,
    /// When a delayed job is due.
    pub due_at: Option<Timestamp>,
    /// The wait between attempts.
    pub backoff: Option<Backoff>,
    /// Whether it goes to the front of its line.
    pub lifo: bool,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Trigger {
    /// The time of a delayed job may have come.
    Due,
    /// Somebody wants a delayed job to be ready now.
    Promote,
    /// A worker takes it.
    Claim,
    /// The handler succeeded.
    Complete,
    /// The handler failed; `random` (0 to 1) feeds the jitter.
    Fail {
        /// Whether another attempt may help.
        retryable: bool,
        /// The wait before it, instead of the job's backoff.
        wait: Option<Duration>,
        /// A random number in 0 to 1.
        random: f64,
    },
    /// The handler wants to go on later; no attempt is used.
    Postpone(Duration),
    /// The handler wants to go on when the job's children are done; no attempt is used.
    WaitForChildren,
    /// The last of the children is done, or one that failed lets the job go on.
    ChildrenDone,
    /// A child failed, and the job with it.
    ChildFailed,
    /// The worker gives it back unfinished; no attempt is used.
    HandBack,
    /// The lease ran out or its process died; no attempt is used, up to `limit` times.
    Stall {
        /// How many lost leases are forgiven.
        limit: u32,
    },
    /// Somebody wants a failed job to start over.
    Retry,
    /// Somebody wants it gone.
    Remove,
    /// Somebody wants the whole queue gone, although a worker holds the job.
    Obliterate,
    /// Its priority became the one in the facts.
    Reprioritize,
}

/// Where a job that is ready stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where it stood before.
    Keep,
    /// Behind those of the same priority.
    Tail,
    /// Before those of the same priority.
    Front,
}

/// What becomes of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The next state; `None` when the job is removed.
    pub state: Option<State>,
    /// When it is due, if delayed.
    pub due_at: Option<Timestamp>,
    /// Its place in the line.
    pub place: Place,
    /// Attempts used up now.
    pub attempts_made: u32,
    /// Leases lost now.
    pub stalls: u32,
    /// How the running attempt ended, if one did.
    pub ended: Option<AttemptOutcome>,
}

/// The job is not in a state where this can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the job is {state}")]
pub struct WrongState {
    /// Where the job stands.
    pub state: State,
}

/// The state of a new job, and when it is due if it must wait. A job with children waits for them first.
pub fn initial(
    priority: u32,
    delay: Duration,
    has_children: bool,
    now: Timestamp,
) -> (State, Option<Timestamp>) {
    let due_at = now.saturating_add(delay);
    if has_children {
        (State::WaitingChildren, (due_at > now).then_some(due_at))
    } else if due_at > now {
        (State::Delayed, Some(due_at))
    } else {
        (State::ready(priority), None)
    }
}

/// Decides what `trigger` does to a job at `now`.
pub fn decide(job: &JobFacts, trigger: Trigger, now: Timestamp) -> Result<Change, WrongState> {
    let ready = State::ready(job.priority);
    let change = job.becomes(ready);
    match (trigger, job.state) {
        (Trigger::Due, State::Delayed) if job.due_at.is_none_or(|due| due <= now) => Ok(change),
        (Trigger::Promote, State::Delayed)
        | (Trigger::Reprioritize, State::Waiting | State::Prioritized) => Ok(change),
        (Trigger::Claim, State::Waiting | State::Prioritized) => Ok(job.becomes(State::Active)),
        (Trigger::Complete, State::Active) => Ok(Change {
            attempts_made: job.attempts_made.saturating_add(1),
            ended: Some(AttemptOutcome::Completed),
            ..job.becomes(State::Completed)
        }),
        (
            Trigger::Fail {
                retryable,
                wait,
                random,
            },
            State::Active,
        ) => Ok(job.after_failure(retryable, wait, random, now)),
        (Trigger::WaitForChildren, State::Active) => Ok(Change {
            ended: Some(AttemptOutcome::Postponed),
            ..job.becomes(State::WaitingChildren)
        }),
        (Trigger::ChildrenDone, State::WaitingChildren) => Ok(job.released(now)),
        (
            Trigger::ChildFailed,
            State::WaitingChildren | State::Delayed | State::Waiting | State::Prioritized,
        ) => Ok(job.becomes(State::Failed)),
        (Trigger::Postpone(wait), State::Active) => Ok(Change {
            ended: Some(AttemptOutcome::Postponed),
            ..job.later(wait, now)
        }),
        (Trigger::HandBack, State::Active) => Ok(Change {
            place: Place::Keep,
            ended: Some(AttemptOutcome::HandedBack),
            ..change
        }),
        (Trigger::Stall { limit }, State::Active) => Ok(job.after_stall(limit)),
        (Trigger::Retry, State::Failed) => Ok(Change {
            attempts_made: 0,
            stalls: 0,
            ..change
        }),
        (Trigger::Remove, state) if state != State::Active => Ok(Change {
            state: None,
            ..change
        }),
        (Trigger::Obliterate, State::Active) => Ok(Change {
            state: None,
            ..change
        }),
        (_, state) => Err(WrongState { state }),
    }
}

impl JobFacts {
    /// Only the state changes.
    fn becomes(&self, state: State) -> Change {
        Change {
            state: Some(state),
            due_at: None,
            place: if self.lifo { Place::Front } else { Place::Tail },
            attempts_made: self.attempts_made,
            stalls: self.stalls,
            ended: None,
        }
    }

    /// Delayed for `wait`, or ready at once when there is nothing to wait for.
    fn later(&self, wait: Duration, now: Timestamp) -> Change {
        let due_at = now.saturating_add(wait);
        if due_at <= now {
            return self.becomes(State::ready(self.priority));
        }
        Change {
            due_at: Some(due_at),
            ..self.becomes(State::Delayed)
        }
    }

    /// Its children are done: ready, or delayed if its own time has not come.
    fn released(&self, now: Timestamp) -> Change {
        match self.due_at {
            Some(due) if due > now => Change {
                due_at: Some(due),
                ..self.becomes(State::Delayed)
            },
            _ => self.becomes(State::ready(self.priority)),
        }
    }

    fn after_failure(
        &self,
        retryable: bool,
        wait: Option<Duration>,
        random: f64,
        now: Timestamp,
    ) -> Change {
        let made = self.attempts_made.saturating_add(1);
        let next = if retryable && made < self.max_attempts {
            let by_backoff = self
                .backoff
                .map(|backoff| backoff.delay_after(made, random));
            let wait = wait.or(by_backoff).unwrap_or_default().min(MAX_BACKOFF);
            self.later(wait, now)
        } else {
            self.becomes(State::Failed)
        };
        Change {
            attempts_made: made,
            ended: Some(AttemptOutcome::Failed),
            ..next
        }
    }

    /// The first lost lease keeps the job's place: a crash is seldom the job's fault. Later ones send it
    /// to the end of its line, so that a job which kills its worker does not hold up the others.
    fn after_stall(&self, limit: u32) -> Change {
        let stalls = self.stalls.saturating_add(1);
        let state = if stalls > limit {
            State::Failed
        } else {
            State::ready(self.priority)
        };
        Change {
            place: if stalls == 1 {
                Place::Keep
            } else {
                Place::Tail
            },
            stalls,
            ended: Some(AttemptOutcome::Stalled),
            ..self.becomes(state)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn job(state: State) -> JobFacts {
        JobFacts {
            state,
            priority: 0,
            attempts_made: 0,
            max_attempts: 2,
            stalls: 0,
            due_at: None,
            backoff: Some(Backoff::fixed(Duration::from_millis(50))),
            lifo: false,
        }
    }

    fn check(job: JobFacts, trigger: Trigger, expected: Option<State>) -> Change {
        let change = decide(&job, trigger, NOW)
            .unwrap_or_else(|refused| panic!("{trigger:?} on {job:?}: {refused}"));
        assert_eq!(change.state, expected, "{trigger:?} on {job:?}");
        change
    }

    #[test]
    fn each_state_allows_only_its_triggers() {
        let fail = Trigger::Fail {
            retryable: true,
            wait: None,
            random: 0.0,
        };
        let stall = Trigger::Stall { limit: 10 };
        let postpone = Trigger::Postpone(Duration::from_secs(1));
        let all = [
            Trigger::Due,
            Trigger::Promote,
            Trigger::Claim,
            Trigger::Complete,
            fail,
            postpone,
            Trigger::WaitForChildren,
            Trigger::ChildrenDone,
            Trigger::ChildFailed,
            Trigger::HandBack,
            stall,
            Trigger::Retry,
            Trigger::Remove,
            Trigger::Obliterate,
            Trigger::Reprioritize,
        ];
        let allowed = |state| match state {
            State::Waiting | State::Prioritized => {
                vec![
                    Trigger::Claim,
                    Trigger::ChildFailed,
                    Trigger::Remove,
                    Trigger::Reprioritize,
                ]
            }
            State::Delayed => vec![
                Trigger::Due,
                Trigger::Promote,
                Trigger::ChildFailed,
                Trigger::Remove,
            ],
            State::WaitingChildren => {
                vec![Trigger::ChildrenDone, Trigger::ChildFailed, Trigger::Remove]
            }
            State::Active => vec![
                Trigger::Complete,
                fail,
                postpone,
                Trigger::WaitForChildren,
                Trigger::HandBack,
                stall,
                Trigger::Obliterate,
            ],
            State::Completed => vec![Trigger::Remove],
            State::Failed => vec![Trigger::Retry, Trigger::Remove],
        };
        for state in State::ALL {
            let accepted: Vec<_> = all
                .into_iter()
                .filter(|trigger| decide(&job(state), *trigger, NOW).is_ok())
                .collect();
            assert_eq!(accepted, allowed(state), "{state}");
        }
    }

    #[test]
    fn a_delayed_job_is_due_at_its_time_and_not_before() {
        let due = |at| JobFacts {
            due_at: Some(Timestamp::from_millis(at)),
            ..job(State::Delayed)
        };
        assert!(decide(&due(1_001), Trigger::Due, NOW).is_err());
        check(due(1_000), Trigger::Due, Some(State::Waiting));
        let important = JobFacts {
            priority: 3,
            ..due(0)
        };
        check(important, Trigger::Due, Some(State::Prioritized));
    }

    #[test]
    fn a_failure_waits_then_gives_up() {
        let fail = |retryable| Trigger::Fail {
            retryable,
            wait: None,
            random: 0.0,
        };
        let later = Trigger::Fail {
            retryable: true,
            wait: Some(Duration::from_secs(1)),
            random: 0.0,
        };
        assert_eq!(
            check(job(State::Active), later, Some(State::Delayed)).due_at,
            Some(Timestamp::from_millis(2_000)),
            "the handler's own wait comes before the backoff"
        );
        let first = check(job(State::Active), fail(true), Some(State::Delayed));
        assert_eq!(
            (first.attempts_made, first.due_at),
            (1, Some(Timestamp::from_millis(1_050)))
        );
        let last = JobFacts {
            attempts_made: 1,
            ..job(State::Active)
        };
        assert_eq!(
            check(last, fail(true), Some(State::Failed)).attempts_made,
            2
        );
        check(job(State::Active), fail(false), Some(State::Failed));
        let at_once = JobFacts {
            backoff: None,
            ..job(State::Active)
        };
        check(at_once, fail(true), Some(State::Waiting));
    }

    #[test]
    fn a_lost_lease_uses_no_attempt_until_the_limit() {
        let stalled = |stalls| JobFacts {
            stalls,
            ..job(State::Active)
        };
        let stall = Trigger::Stall { limit: 2 };
        let first = check(stalled(0), stall, Some(State::Waiting));
        assert_eq!(
            (first.attempts_made, first.stalls, first.place),
            (0, 1, Place::Keep)
        );
        assert_eq!(
            check(stalled(1), stall, Some(State::Waiting)).place,
            Place::Tail
        );
        check(stalled(2), stall, Some(State::Failed));
    }

    #[test]
    fn a_job_waits_for_its_children_and_then_for_its_own_time() {
        let (state, due_at) = initial(0, Duration::from_secs(1), true, NOW);
        assert_eq!(state, State::WaitingChildren);
        let parent = JobFacts {
            due_at,
            ..job(state)
        };
        let change = check(parent, Trigger::ChildrenDone, Some(State::Delayed));
        assert_eq!(change.due_at, due_at);
        let at_once = JobFacts {
            due_at: None,
            priority: 2,
            ..parent
        };
        check(at_once, Trigger::ChildrenDone, Some(State::Prioritized));
        check(parent, Trigger::ChildFailed, Some(State::Failed));
    }

    #[test]
    fn last_in_first_out_goes_to_the_front() {
        let newest = JobFacts {
            lifo: true,
            ..job(State::Failed)
        };
        assert_eq!(
            check(newest, Trigger::Retry, Some(State::Waiting)).place,
            Place::Front
        );
    }

    #[test]
    fn handing_back_keeps_place_and_attempts() {
        let change = check(job(State::Active), Trigger::HandBack, Some(State::Waiting));
        assert_eq!((change.place, change.attempts_made), (Place::Keep, 0));
    }

    /// Every edge `decide` and `initial` know, as lines of the drawing.
    fn known_edges() -> BTreeSet<String> {
        let triggers = [
            ("due", Trigger::Due),
            ("promote", Trigger::Promote),
            ("claim", Trigger::Claim),
            ("complete", Trigger::Complete),
            (
                "fail",
                Trigger::Fail {
                    retryable: true,
                    wait: None,
                    random: 0.5,
                },
            ),
            (
                "fail",
                Trigger::Fail {
                    retryable: false,
                    wait: None,
                    random: 0.5,
                },
            ),
            ("postpone", Trigger::Postpone(Duration::ZERO)),
            ("postpone", Trigger::Postpone(Duration::from_secs(1))),
            ("wait for children", Trigger::WaitForChildren),
            ("children done", Trigger::ChildrenDone),
            ("child failed", Trigger::ChildFailed),
            ("hand back", Trigger::HandBack),
            ("stall", Trigger::Stall { limit: 0 }),
            ("stall", Trigger::Stall { limit: 10 }),
            ("retry", Trigger::Retry),
            ("remove", Trigger::Remove),
            ("obliterate", Trigger::Obliterate),
            ("change priority", Trigger::Reprioritize),
        ];
        let mut edges = BTreeSet::new();
        for priority in [0, 1] {
            for delay in [Duration::ZERO, Duration::from_secs(1)] {
                for has_children in [false, true] {
                    let (state, _) = initial(priority, delay, has_children, NOW);
                    edges.insert(format!("[*] --> {state}: add"));
                }
            }
            let later = Some(Timestamp::from_millis(1_001));
            for (backoff, due_at) in [
                (None, None),
                (Some(Backoff::fixed(Duration::from_secs(1))), later),
            ] {
                for (state, (label, trigger)) in State::ALL
                    .into_iter()
                    .flat_map(|state| triggers.map(|trigger| (state, trigger)))
                {
                    // A job stands only in the line its priority says, until that changes.
                    let other_line = state == State::ready(1 - priority);
                    if other_line && trigger != Trigger::Reprioritize {
                        continue;
                    }
                    let facts = JobFacts {
                        priority,
                        backoff,
                        due_at: due_at.filter(|_| state == State::WaitingChildren),
                        max_attempts: 9,
                        ..job(state)
                    };
                    if let Ok(change) = decide(&facts, trigger, NOW) {
                        let to = change.state.map_or("[*]", State::as_str);
                        edges.insert(format!("{state} --> {to}: {label}"));
                    }
                }
            }
        }
        edges
    }

    #[test]
    fn the_drawing_in_the_documentation_has_exactly_these_edges() {
        let document = include_str!("../../../../docs/job-states.md");
        let drawn: BTreeSet<String> = document
            .lines()
            .map(str::trim)
            .filter(|line| line.contains("-->"))
            .map(str::to_owned)
            .collect();
        assert_eq!(drawn, known_edges());
    }
}
