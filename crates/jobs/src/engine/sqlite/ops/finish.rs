use std::time::Duration;

use rusqlite::params;

use super::super::tx::{QueueRef, Tx};
use super::cancel::CANCELLED;
use super::child;
use super::lease::held_job;
use super::stored::{Reason, StoredJob, state_code};
use crate::engine::{Ending, Finish};
use crate::error::{EngineError, LeaseError};
use crate::events::JobEventKind;
use crate::names::random_fraction;
use crate::retention::Retention;
use crate::state::{JobFacts, State, Trigger};

/// Finished jobs removed by one ending.
const PRUNE_STEP: u64 = 100;

/// Ends attempts, each by itself: a refused one does not touch the others.
pub(in super::super) fn finish(
    tx: &mut Tx<'_>,
    endings: &[Finish],
) -> Result<Vec<Result<State, LeaseError>>, EngineError> {
    let mut surplus: Vec<(QueueRef, State, Retention)> = Vec::new();
    let mut answers = Vec::with_capacity(endings.len());
    for ending in endings {
        let answer = finish_one(tx, ending, &mut surplus);
        match answer {
            Err(LeaseError::Engine(error)) => return Err(error),
            other => answers.push(other),
        }
    }
    for (queue, state, retention) in surplus {
        prune_surplus(tx, queue, state, retention)?;
    }
    Ok(answers)
}

fn finish_one(
    tx: &mut Tx<'_>,
    finish: &Finish,
    surplus: &mut Vec<(QueueRef, State, Retention)>,
) -> Result<State, LeaseError> {
    let (queue, job) = held_job(tx, &finish.lease)?;
    let limits = tx.shared.limits;
    let too_large;
    let (trigger, why, result) = match &finish.ending {
        _ if job.deferred_failure.is_some() => {
            let why = job.deferred_failure.as_deref().unwrap_or_default();
            (fail(false, None), Reason::Is(why), None)
        }
        Ending::Completed { result } if result.get().len() > limits.result => {
            let (size, max) = (result.get().len(), limits.result);
            too_large = format!("the result has {size} bytes, at most {max} are accepted");
            (fail(false, None), Reason::Is(too_large.as_str()), None)
        }
        Ending::Completed { result } => (Trigger::Complete, Reason::Clear, Some(result.get())),
        Ending::Failed {
            error,
            retryable,
            wait,
        } => (
            fail(*retryable, *wait),
            Reason::Is(limits.cut_error(error)),
            None,
        ),
        Ending::Postponed(wait) => (Trigger::Postpone(*wait), Reason::Keep, None),
        Ending::WaitForChildren => (Trigger::WaitForChildren, Reason::Keep, None),
        Ending::HandedBack => (Trigger::HandBack, Reason::Keep, None),
    };
    let (trigger, why) = if job.cancel_requested && trigger != Trigger::Complete {
        (fail(false, None), Reason::Is(CANCELLED))
    } else {
        (trigger, why)
    };
    let change = job
        .decide(trigger, tx.now)
        .map_err(|_| LeaseError::LeaseLost)?;
    job.apply(tx, queue, &change, why, result)?;
    let mut state = change.state.unwrap_or(job.facts.state);
    tell_ending(tx, queue, &job, trigger, state, why);
    if state == State::WaitingChildren && job.pending <= 0 {
        state = go_on(tx, &job)?;
    }
    if let Some(kept) = job.retention(tx, state)
        && !surplus
            .iter()
            .any(|(q, s, _)| tx.row(*q).id == job.queue && *s == state)
    {
        surplus.push((queue, state, kept));
    }
    Ok(state)
}

/// Lets a job that has no children to wait for go on at once.
fn go_on(tx: &mut Tx<'_>, job: &StoredJob) -> Result<State, EngineError> {
    let waiting = StoredJob {
        facts: JobFacts {
            state: State::WaitingChildren,
            due_at: None,
            ..job.facts
        },
        ..job.clone()
    };
    child::release(tx, &waiting)?;
    Ok(State::ready(job.facts.priority))
}

fn fail(retryable: bool, wait: Option<Duration>) -> Trigger {
    Trigger::Fail {
        retryable,
        wait,
        random: random_fraction(),
    }
}

fn tell_ending(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &StoredJob,
    trigger: Trigger,
    state: State,
    why: Reason<'_>,
) {
    let kind = match (trigger, state) {
        (_, State::Completed) => JobEventKind::Completed,
        (_, State::Failed) => JobEventKind::Failed,
        (_, State::WaitingChildren) => JobEventKind::WaitingChildren,
        (Trigger::Postpone(_), _) => JobEventKind::Postponed,
        (Trigger::HandBack, _) => JobEventKind::HandedBack,
        _ => JobEventKind::Retrying,
    };
    tx.tell(queue, Some(&job.id), kind);
    if let Reason::Is(text) = why {
        tx.tell_more(|event| event.error = Some(text.to_owned()));
    }
}

/// Removes the oldest finished jobs beyond the count kept.
fn prune_surplus(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    state: State,
    retention: Retention,
) -> Result<(), EngineError> {
    let row = *tx.row(queue);
    let surplus = retention.surplus(row.counts.of(state), PRUNE_STEP);
    // A job that is not kept at all went by itself and says nothing about the others.
    if surplus == 0 || retention.count == 0 || retention.age == Duration::ZERO {
        return Ok(());
    }
    let sql = "DELETE FROM paceline_jobs WHERE seq IN (SELECT seq FROM paceline_jobs WHERE queue = ?1 AND state = ?2 \
               AND state IN (5, 6) ORDER BY finished_at, seq LIMIT ?3) RETURNING queue, state, id, parent";
    let range = params![row.id, state_code(state), surplus.cast_signed()];
    child::pruned(tx, sql, range).map(drop)
}
