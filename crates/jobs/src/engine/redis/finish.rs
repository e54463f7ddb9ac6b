use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use redis::Value;

use super::job_options::{HeldJob, StoredOptions, whole_millis};
use super::keys::lock_value;
use super::reply::{Parts, list, small, text};
use super::script::{Call, FINISH};
use super::store::{LIBRARY, Store};
use crate::engine::{Ending, Finish, Lease};
use crate::error::{EngineError, LeaseError};
use crate::names::{QueueName, random_fraction};
use crate::retention::Retention;
use crate::snapshot::AttemptOutcome;
use crate::state::{Change, JobFacts, Place, State, Trigger, decide};

/// Endings told by one call of the script.
const FINISH_STEP: usize = 500;

/// Ends attempts, each by itself; those of one queue together.
pub(super) async fn finish(
    store: &Store,
    endings: &[Finish],
) -> Result<Vec<Result<State, LeaseError>>, EngineError> {
    let mut answers: Vec<Option<Result<State, LeaseError>>> =
        endings.iter().map(|_| None).collect();
    let mut by_queue: HashMap<&QueueName, Vec<usize>> = HashMap::new();
    for (index, ending) in endings.iter().enumerate() {
        by_queue.entry(&ending.lease.queue).or_default().push(index);
    }
    for (queue, indices) in by_queue {
        for step in indices.chunks(FINISH_STEP) {
            let leases: Vec<&Lease> = step.iter().map(|index| &endings[*index].lease).collect();
            let jobs = held_jobs(store, queue, &leases).await?;
            let changes = step.iter().zip(&jobs).map(|(index, job)| {
                let finish = &endings[*index];
                job.as_ref()
                    .and_then(|job| Ended::by_holder(finish, job, store))
            });
            let changes: Vec<Option<Ended<'_>>> = changes.collect();
            let states = tell(store, queue, &changes).await?;
            for (index, state) in step.iter().zip(states) {
                store.let_go(&endings[*index].lease);
                answers[*index] = Some(state.ok_or(LeaseError::LeaseLost));
            }
        }
    }
    answers
        .into_iter()
        .map(|answer| answer.ok_or(EngineError::Damaged("answer")))
        .collect()
}

/// What is known of the jobs; those another engine claimed are looked up. None: there is no such job.
async fn held_jobs(
    store: &Store,
    queue: &QueueName,
    leases: &[&Lease],
) -> Result<Vec<Option<HeldJob>>, EngineError> {
    let mut jobs: Vec<Option<HeldJob>> = leases.iter().map(|lease| store.held(lease)).collect();
    let mut lookup = redis::pipe();
    let mut unknown = Vec::new();
    for (index, lease) in leases.iter().enumerate() {
        if jobs[index].is_none() {
            unknown.push(index);
            lookup
                .cmd("HMGET")
                .arg(store.keys.of(queue, lease.id.as_str()))
                .arg(&["name", "opts", "priority", "atm", "stc"]);
        }
    }
    if unknown.is_empty() {
        return Ok(jobs);
    }
    for (index, fields) in unknown
        .into_iter()
        .zip(store.pipeline(queue, &lookup).await?)
    {
        let fields: Vec<Option<String>> = list(fields).into_iter().map(text).collect();
        let number = |at: usize| fields.get(at)?.as_deref().and_then(small);
        if fields.first().is_some_and(Option::is_some) {
            let options = fields.get(1).and_then(Option::as_deref).unwrap_or_default();
            jobs[index] = Some(HeldJob {
                options: StoredOptions::read(options),
                priority: number(2).unwrap_or(0),
                attempts_made: number(3).unwrap_or(0),
                stalls: number(4).unwrap_or(0),
            });
        }
    }
    Ok(jobs)
}

/// One decided ending.
pub(super) struct Ended<'a> {
    id: &'a str,
    /// What the lock must hold; empty when there must be none.
    lock: String,
    change: Change,
    outcome: AttemptOutcome,
    /// The result, or what went wrong.
    value: Cow<'a, str>,
    wrong: bool,
    wait: Duration,
    /// How long it is kept in its next state, and should a child fail it; and whether it says so itself.
    retention: (Retention, bool),
    if_failed: (Retention, bool),
    max_attempts: u32,
    traces: u32,
}

impl<'a> Ended<'a> {
    /// What the holder of the lease says.
    fn by_holder(finish: &'a Finish, job: &HeldJob, store: &Store) -> Option<Self> {
        let limits = &store.settings.limits;
        let mut wrong = true;
        let (trigger, value) = match &finish.ending {
            Ending::Completed { result } if result.get().len() > limits.result => {
                let (size, max) = (result.get().len(), limits.result);
                let text = format!("the result has {size} bytes, at most {max} are accepted");
                (fail(false, None), Cow::Owned(text))
            }
            Ending::Completed { result } => {
                wrong = false;
                (Trigger::Complete, Cow::Borrowed(result.get()))
            }
            Ending::Failed {
                error,
                retryable,
                wait,
            } => (
                fail(*retryable, *wait),
                Cow::Borrowed(limits.cut_error(error)),
            ),
            ending => {
                wrong = false;
                let trigger = match ending {
                    Ending::Postponed(wait) => Trigger::Postpone(*wait),
                    Ending::WaitForChildren => Trigger::WaitForChildren,
                    _ => Trigger::HandBack,
                };
                (trigger, Cow::Borrowed(""))
            }
        };
        let now = store.now();
        let change = decide(&job.facts(), trigger, now).ok()?;
        let lock = lock_value(&finish.lease);
        Some(Self::new(
            finish.lease.id.as_str(),
            lock,
            job,
            change,
            (value, wrong),
            store,
        ))
    }

    pub(super) fn new(
        id: &'a str,
        lock: String,
        job: &HeldJob,
        change: Change,
        (value, wrong): (Cow<'a, str>, bool),
        store: &Store,
    ) -> Self {
        let state = change.state.unwrap_or(State::Failed);
        Self {
            id,
            lock,
            change,
            outcome: change.ended.unwrap_or(AttemptOutcome::Stalled),
            value,
            wrong,
            wait: change
                .due_at
                .map_or(Duration::ZERO, |due| due.saturating_since(store.now())),
            retention: job.retention(state, &store.settings),
            if_failed: job.retention(State::Failed, &store.settings),
            max_attempts: job.options.max_attempts,
            traces: job.options.traces,
        }
    }

    /// The eighteen values the script wants.
    fn push(&self, call: &mut Call) {
        let (count, age) = bounds(self.retention.0);
        let (failed_count, failed_age) = bounds(self.if_failed.0);
        let state = self.change.state.unwrap_or(State::Failed);
        let counted = matches!(
            self.outcome,
            AttemptOutcome::Completed | AttemptOutcome::Failed
        );
        let stalled = self.outcome == AttemptOutcome::Stalled;
        call.push(self.id)
            .push(self.lock.as_str())
            .push(match state {
                State::Prioritized => "waiting",
                state => state.as_str(),
            })
            .push(i32::from(self.change.place != Place::Tail))
            .push(&*self.value)
            .push(given(counted, self.change.attempts_made))
            .push(whole_millis(self.wait))
            .push(count)
            .push(age)
            .push(outcome_name(self.outcome))
            .push(self.max_attempts)
            .push(given(stalled, self.change.stalls))
            .push(i32::from(self.retention.1))
            .push(self.traces)
            .push(i32::from(self.wrong))
            .push(failed_count)
            .push(failed_age)
            .push(i32::from(self.if_failed.1));
    }
}

fn fail(retryable: bool, wait: Option<Duration>) -> Trigger {
    Trigger::Fail {
        retryable,
        wait,
        random: random_fraction(),
    }
}

fn given(set: bool, number: u32) -> String {
    if set {
        number.to_string()
    } else {
        String::new()
    }
}

/// A retention as the scripts want it: -1 is no bound.
fn bounds(retention: Retention) -> (i64, i64) {
    let count = if retention.count == u32::MAX {
        -1
    } else {
        i64::from(retention.count)
    };
    (count, age_bound(retention.age))
}

/// Ages beyond a thousand years are no bound.
pub(super) fn age_bound(age: Duration) -> i64 {
    const LONGEST: u128 = 1_000 * 366 * 24 * 60 * 60 * 1_000;
    i64::try_from(age.as_millis())
        .ok()
        .filter(|_| age.as_millis() < LONGEST)
        .unwrap_or(-1)
}

/// The word kept in a job's history and told with events.
pub(super) const fn outcome_name(outcome: AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Completed => "completed",
        AttemptOutcome::Failed => "failed",
        AttemptOutcome::HandedBack => "handed_back",
        AttemptOutcome::Postponed => "postponed",
        _ => "stalled",
    }
}

/// Tells the server, and ends the parents that fail with their children; gives for each ending the state the
/// job has now, nothing when the lease does not hold.
pub(super) async fn tell(
    store: &Store,
    queue: &QueueName,
    endings: &[Option<Ended<'_>>],
) -> Result<Vec<Option<State>>, EngineError> {
    let (states, doomed) = tell_once(store, queue, endings).await?;
    fail_parents(store, doomed).await?;
    Ok(states)
}

async fn tell_once(
    store: &Store,
    queue: &QueueName,
    endings: &[Option<Ended<'_>>],
) -> Result<(Vec<Option<State>>, Value), EngineError> {
    let known: Vec<&Ended<'_>> = endings.iter().flatten().collect();
    if known.is_empty() {
        return Ok((endings.iter().map(|_| None).collect(), Value::Nil));
    }
    let mut call = store
        .script(&FINISH, queue)
        .arg(store.now().as_millis())
        .arg(store.settings.limits.attempts)
        .arg(known.len())
        .arg(LIBRARY);
    for ended in &known {
        ended.push(&mut call);
    }
    let mut answer = Parts::of(store.call(queue, &call).await?);
    let mut told = Parts::of(answer.next()?);
    let states: Result<Vec<_>, EngineError> = endings
        .iter()
        .map(|ending| match ending {
            Some(_) => Ok(read_state(told.next()?)),
            None => Ok(None),
        })
        .collect();
    Ok((states?, answer.next()?))
}

/// Ends jobs that fail because a child did, and then those that fail because of them. Should this be cut
/// short, whoever takes such a job fails it: it is marked.
pub(super) async fn fail_parents(store: &Store, doomed: Value) -> Result<(), EngineError> {
    let mut next = vec![doomed];
    while let Some(doomed) = next.pop() {
        let mut parts = Parts::of(doomed);
        while !parts.is_empty() {
            let (base, id) = (parts.text()?, parts.text()?);
            if let Some(queue) = store.keys.queue_of_base(&base) {
                next.push(fail_parent(store, &queue, &id).await?);
            }
        }
    }
    Ok(())
}

/// Fails one job because of its child; gives those that fail because of it.
async fn fail_parent(store: &Store, queue: &QueueName, id: &str) -> Result<Value, EngineError> {
    let mut look = redis::cmd("HMGET");
    look.arg(store.keys.of(queue, id))
        .arg(&["opts", "priority", "atm", "stc", "defa"]);
    let fields = list(store.query(queue, &look).await?);
    let mut fields = fields.into_iter().map(text);
    let mut next = || fields.next().flatten();
    let options = StoredOptions::read(&next().unwrap_or_default());
    let mut number = || next().as_deref().and_then(small).unwrap_or(0);
    let job = HeldJob {
        options,
        priority: number(),
        attempts_made: number(),
        stalls: number(),
    };
    let Some(reason) = next() else {
        return Ok(Value::Nil);
    };
    let facts = JobFacts {
        state: State::WaitingChildren,
        ..job.facts()
    };
    let Ok(change) = decide(&facts, Trigger::ChildFailed, store.now()) else {
        return Ok(Value::Nil);
    };
    let reason = store.settings.limits.cut_error(&reason);
    let mark = "doomed".to_owned();
    let ended = Ended::new(id, mark, &job, change, (Cow::Borrowed(reason), true), store);
    let (_, doomed) = tell_once(store, queue, &[Some(ended)]).await?;
    Ok(doomed)
}

fn read_state(value: Value) -> Option<State> {
    State::from_name(&text(value)?)
}
