//! How an attempt ends: a pure function of what the handler did and why it was told to give up.

use std::time::Duration;

use serde_json::value::RawValue;

use super::course::CancelReason;
use crate::engine::Ending;
use crate::outcome::{JobError, Outcome};

/// What became of a handler.
#[derive(Debug)]
pub(super) enum Handled<T> {
    /// It ended by itself.
    Returned(T),
    /// It panicked, with this message.
    Panicked(String),
    /// It was dropped.
    Aborted {
        /// A thread still runs it.
        runs_on: bool,
    },
}

/// What a handler answered for one job.
pub(super) type Answer = Result<Outcome<Box<RawValue>>, JobError>;

/// How the attempt ended; `None` when that is not for this worker to say (the lease is lost, or the code
/// still runs and a stop would have it run twice at the same time).
pub(super) fn ending(
    handled: Handled<Answer>,
    reason: Option<CancelReason>,
    timeout: Option<Duration>,
    wait_after: impl FnOnce(&JobError) -> Option<Duration>,
) -> Option<Ending> {
    use CancelReason::{LeaseLost, Requested, Stopping};
    let error = match handled {
        _ if reason == Some(LeaseLost) => return None,
        Handled::Returned(Ok(Outcome::Completed(result))) => {
            return Some(Ending::Completed { result });
        }
        Handled::Returned(Ok(_)) if reason == Some(Requested) => None,
        Handled::Returned(Ok(Outcome::Postponed(wait))) => return Some(Ending::Postponed(wait)),
        Handled::Returned(Ok(Outcome::WaitForChildren)) => return Some(Ending::WaitForChildren),
        Handled::Returned(Err(error)) if reason == Some(Stopping) && error.is_retryable() => {
            return Some(Ending::HandedBack);
        }
        Handled::Returned(Err(error)) => Some(error),
        Handled::Panicked(message) => Some(JobError::retryable(format!(
            "the handler panicked: {message}"
        ))),
        Handled::Aborted { runs_on } if matches!(reason, None | Some(Stopping)) => {
            return (!runs_on).then_some(Ending::HandedBack);
        }
        Handled::Aborted { .. } => None,
    };
    let error = explained(error, reason, timeout);
    let retryable = error.is_retryable();
    Some(Ending::Failed {
        wait: error
            .wait()
            .or_else(|| retryable.then(|| wait_after(&error)).flatten()),
        retryable,
        error: error.into_message(),
    })
}

/// The error to be stored: with why the handler was told to give up, if it was.
fn explained(
    error: Option<JobError>,
    reason: Option<CancelReason>,
    timeout: Option<Duration>,
) -> JobError {
    match reason {
        Some(CancelReason::Requested) => match error {
            Some(error) => JobError::unrecoverable(format!("cancelled: {error}")),
            None => JobError::unrecoverable("cancelled"),
        },
        Some(CancelReason::Timeout) => {
            let bound = timeout.unwrap_or_default();
            let what = format!("the attempt took longer than its timeout of {bound:?}");
            match error {
                Some(error) => error.within(&what),
                None => JobError::retryable(what),
            }
        }
        _ => error.unwrap_or_else(|| JobError::retryable("the handler was dropped")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(ending: Option<Ending>) -> String {
        match ending {
            None => "nothing".to_owned(),
            Some(Ending::Completed { .. }) => "completed".to_owned(),
            Some(Ending::Failed {
                error,
                retryable,
                wait,
            }) => format!("failed {retryable} {wait:?} {error}"),
            Some(other) => format!("{other:?}"),
        }
    }

    fn check(handled: Handled<Answer>, reason: Option<CancelReason>, expected: &str) {
        let what = format!("{handled:?} {reason:?}");
        let timeout = Some(Duration::from_secs(5));
        let wait = |error: &JobError| {
            error
                .to_string()
                .contains("slow")
                .then_some(Duration::from_secs(9))
        };
        let found = describe(ending(handled, reason, timeout, wait));
        assert_eq!(found, expected, "{what}");
    }

    fn done() -> Handled<Answer> {
        Handled::Returned(Ok(Outcome::Completed(RawValue::NULL.to_owned())))
    }

    fn failed(error: JobError) -> Handled<Answer> {
        Handled::Returned(Err(error))
    }

    #[test]
    fn what_the_handler_says_counts_unless_it_was_told_to_give_up() {
        use CancelReason::{LeaseLost, Requested, Stopping, Timeout};
        let second = Duration::from_secs(1);
        let later = || Handled::Returned(Ok(Outcome::Postponed(second)));
        let no = JobError::retryable;
        let never = JobError::unrecoverable;
        check(done(), None, "completed");
        for reason in [Timeout, Requested, Stopping] {
            check(done(), Some(reason), "completed");
        }
        check(done(), Some(LeaseLost), "nothing");
        check(later(), None, "Postponed(1s)");
        check(later(), Some(Stopping), "Postponed(1s)");
        check(later(), Some(Requested), "failed false None cancelled");
        check(failed(no("no")), None, "failed true None no");
        check(failed(no("slow")), None, "failed true Some(9s) slow");
        let own = no("slow").retry_after(second);
        check(failed(own), None, "failed true Some(1s) slow");
        check(failed(never("slow")), None, "failed false None slow");
        check(failed(no("no")), Some(Stopping), "HandedBack");
        check(failed(never("no")), Some(Stopping), "failed false None no");
        check(
            failed(no("no")),
            Some(Requested),
            "failed false None cancelled: no",
        );
        check(
            failed(no("no")),
            Some(Timeout),
            "failed true None the attempt took longer than its timeout of 5s: no",
        );
        check(
            Handled::Panicked("oh".to_owned()),
            Some(Stopping),
            "failed true None the handler panicked: oh",
        );
        check(failed(no("no")), Some(LeaseLost), "nothing");
    }

    #[test]
    fn a_dropped_handler_fails_after_a_timeout_and_gives_back_at_a_stop() {
        use CancelReason::{LeaseLost, Requested, Stopping, Timeout};
        for runs_on in [true, false] {
            let dropped = || Handled::Aborted { runs_on };
            check(
                dropped(),
                Some(Timeout),
                "failed true None the attempt took longer than its timeout of 5s",
            );
            check(dropped(), Some(Requested), "failed false None cancelled");
            check(dropped(), Some(LeaseLost), "nothing");
            let given_back = if runs_on { "nothing" } else { "HandedBack" };
            check(dropped(), Some(Stopping), given_back);
        }
    }
}
