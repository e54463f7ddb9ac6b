//! Jobs as rows, and the one place where a decided change is written.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::super::tx::{QueueRef, Tx};
use super::child::{self, ChildNews};
use super::leave::{Left, leaving};
use crate::clock::Timestamp;
use crate::error::EngineError;
use crate::flow::ChildFailure;
use crate::names::JobId;
use crate::options::JobOptions;
use crate::retention::Retention;
use crate::retry::Backoff;
use crate::snapshot::AttemptOutcome;
use crate::state::{Change, JobFacts, Place, State, Trigger, WrongState, decide};

/// The options of a job that are read only when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(in super::super) struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) backoff: Option<Backoff>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) keep_completed: Option<Retention>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) keep_failed: Option<Retention>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in super::super) lifo: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) timeout: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) keep_logs: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in super::super) on_failure: ChildFailure,
}

/// A job's row, without its payload.
#[derive(Debug, Clone)]
pub(super) struct StoredJob {
    pub(super) seq: i64,
    pub(super) queue: i64,
    pub(super) id: JobId,
    pub(super) facts: JobFacts,
    pub(super) starts: u32,
    pub(super) started_at: Option<Timestamp>,
    pub(super) lease_token: Option<String>,
    pub(super) cancel_requested: bool,
    pub(super) settings: Settings,
    /// The group it is served with.
    pub(super) group: Option<String>,
    /// The deduplication it was added under.
    pub(super) deduplication: Option<String>,
    /// The row of the job that waits for it, which may be gone.
    pub(super) parent: Option<i64>,
    /// Children it still waits for.
    pub(super) pending: i64,
    /// Why it fails when its attempt ends, however that ends.
    pub(super) deferred_failure: Option<String>,
}

/// Reads what [`StoredJob::read`] expects.
macro_rules! select_jobs {
    () => {
        "SELECT seq, queue, id, state, priority, attempts_made, max_attempts, stalls, due_at, \
         starts, started_at, lease_token, settings, group_name, deduplication, parent, pending, deferred_failure, \
         cancel_requested FROM paceline_jobs"
    };
}
pub(super) use select_jobs;

/// The number a state is stored as.
pub(in super::super) const fn state_code(state: State) -> i64 {
    match state {
        State::Waiting => 0,
        State::Prioritized => 1,
        State::Delayed => 2,
        State::WaitingChildren => 3,
        State::Active => 4,
        State::Completed => 5,
        State::Failed => 6,
    }
}

/// The state stored as `code`.
pub(in super::super) fn state_of(code: i64) -> Result<State, EngineError> {
    usize::try_from(code)
        .ok()
        .and_then(|index| State::ALL.get(index).copied())
        .ok_or(EngineError::Damaged("job state"))
}

const fn outcome_code(outcome: AttemptOutcome) -> i64 {
    match outcome {
        AttemptOutcome::Running => 0,
        AttemptOutcome::Completed => 1,
        AttemptOutcome::Failed => 2,
        AttemptOutcome::Stalled => 3,
        AttemptOutcome::HandedBack => 4,
        AttemptOutcome::Postponed => 5,
    }
}

/// The outcome stored as `code`.
pub(in super::super) fn outcome_of(code: i64) -> Result<AttemptOutcome, EngineError> {
    Ok(match code {
        2 => AttemptOutcome::Failed,
        3 => AttemptOutcome::Stalled,
        4 => AttemptOutcome::HandedBack,
        5 => AttemptOutcome::Postponed,
        _ => return Err(EngineError::Damaged("attempt outcome")),
    })
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Settings {
    /// What is stored of a job's options for later.
    pub(in super::super) fn of(options: &JobOptions) -> Self {
        Self {
            backoff: options.backoff,
            keep_completed: options.keep_completed,
            keep_failed: options.keep_failed,
            lifo: options.lifo,
            timeout: options.timeout,
            keep_logs: options.keep_logs,
            on_failure: options.on_failure,
        }
    }

    /// The options that were stored.
    pub(in super::super) fn into_options(self) -> JobOptions {
        JobOptions {
            backoff: self.backoff,
            keep_completed: self.keep_completed,
            keep_failed: self.keep_failed,
            lifo: self.lifo,
            timeout: self.timeout,
            keep_logs: self.keep_logs,
            on_failure: self.on_failure,
            ..JobOptions::new()
        }
    }

    /// The stored text; none for the defaults.
    pub(in super::super) fn to_text(self) -> Result<Option<String>, EngineError> {
        if self == Self::default() {
            return Ok(None);
        }
        let text = serde_json::to_string(&self);
        text.map(Some)
            .map_err(|_| EngineError::Damaged("job setting"))
    }

    /// Reads the stored text.
    pub(in super::super) fn from_text(text: Option<&str>) -> Result<Self, EngineError> {
        text.map_or(Ok(Self::default()), |text| {
            serde_json::from_str(text).map_err(|_| EngineError::Damaged("job setting"))
        })
    }
}

impl StoredJob {
    pub(super) fn find(tx: &Tx<'_>, queue: i64, id: &JobId) -> Result<Option<Self>, EngineError> {
        let mut statement = tx
            .connection
            .prepare_cached(concat!(select_jobs!(), " WHERE queue = ?1 AND id = ?2"))?;
        let row = statement
            .query_row(params![queue, id.as_str()], |row| Ok(Self::read(row)))
            .optional()?;
        row.transpose()
    }

    pub(super) fn by_seq(tx: &Tx<'_>, seq: i64) -> Result<Option<Self>, EngineError> {
        let mut statement = tx
            .connection
            .prepare_cached(concat!(select_jobs!(), " WHERE seq = ?1"))?;
        let row = statement
            .query_row([seq], |row| Ok(Self::read(row)))
            .optional()?;
        row.transpose()
    }

    /// Reads a row of `select_jobs!`.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, EngineError> {
        let settings = row.get_ref(12)?.as_str_or_null();
        let settings = settings.map_err(|_| EngineError::Damaged("job setting"))?;
        let settings = Settings::from_text(settings)?;
        Ok(Self {
            seq: row.get(0)?,
            queue: row.get(1)?,
            id: JobId::lookup(row.get_ref(2)?.as_str().unwrap_or_default()),
            facts: JobFacts {
                state: state_of(row.get(3)?)?,
                priority: row.get(4)?,
                attempts_made: row.get(5)?,
                max_attempts: row.get(6)?,
                stalls: row.get(7)?,
                due_at: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_millis),
                backoff: settings.backoff,
                lifo: settings.lifo,
            },
            starts: row.get(9)?,
            started_at: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_millis),
            lease_token: row.get(11)?,
            settings,
            group: row.get(13)?,
            deduplication: row.get(14)?,
            parent: row.get(15)?,
            pending: row.get(16)?,
            deferred_failure: row.get(17)?,
            cancel_requested: row.get(18)?,
        })
    }

    /// What `trigger` does. A job whose child failed meanwhile fails, however its attempt ended.
    pub(super) fn decide(&self, trigger: Trigger, now: Timestamp) -> Result<Change, WrongState> {
        let trigger = match self.deferred_failure {
            Some(_) if self.facts.state == State::Active => Trigger::Fail {
                retryable: false,
                wait: None,
                random: 0.0,
            },
            _ => trigger,
        };
        decide(&self.facts, trigger, now)
    }

    /// Writes a change other than a claim: the job leaves its state and any lease. `why` replaces the
    /// stored failure reason; `result` the stored result. What it means for others is done too: the job
    /// that waits for it, its deduplication, its group.
    pub(super) fn apply(
        &self,
        tx: &mut Tx<'_>,
        queue: QueueRef,
        change: &Change,
        why: Reason<'_>,
        result: Option<&str>,
    ) -> Result<(), EngineError> {
        match self.settle(tx, queue, change, why, result)? {
            Some(news) => child::tell(tx, news),
            None => Ok(()),
        }
    }

    /// As [`StoredJob::apply`], and gives what the job's parent has to be told.
    pub(super) fn settle(
        &self,
        tx: &mut Tx<'_>,
        queue: QueueRef,
        change: &Change,
        why: Reason<'_>,
        result: Option<&str>,
    ) -> Result<Option<ChildNews>, EngineError> {
        let kept = self.write(tx, queue, change, why, result)?;
        let left = Left {
            to: change.state,
            kept,
            why: why.text(),
            result,
        };
        leaving(tx, queue, self, &left)
    }

    /// Writes the row; says whether there still is one.
    fn write(
        &self,
        tx: &mut Tx<'_>,
        queue: QueueRef,
        change: &Change,
        why: Reason<'_>,
        result: Option<&str>,
    ) -> Result<bool, EngineError> {
        tx.count_move(queue, Some(self.facts.state), change.state);
        if self.facts.state == State::Active && tx.row(queue).settings.concurrency.is_some() {
            // There is a free place.
            tx.wake(queue);
        }
        let Some(state) = change.state else {
            return delete(tx, self.seq).map(|()| false);
        };
        if let Some(outcome) = change.ended
            && outcome != AttemptOutcome::Completed
        {
            self.record_attempt(tx, outcome, why.text())?;
        }
        let kept = self.retention(tx, state);
        if kept.is_some_and(|kept| kept.count == 0 || kept.age.is_zero()) {
            tx.count_move(queue, Some(state), None);
            return delete(tx, self.seq).map(|()| false);
        }
        let position = match change.place {
            _ if state.is_finished() => None,
            Place::Keep => None,
            Place::Tail => Some(tx.take_position(queue)),
            Place::Front => Some(tx.take_front(queue)),
        };
        let finished_at = state.is_finished().then_some(tx.now);
        let sql = "UPDATE paceline_jobs SET state = ?2, position = coalesce(?3, position), attempts_made = ?4, stalls = ?5, \
                   due_at = ?6, finished_at = ?7, expires_at = ?8, \
                   failed_reason = CASE WHEN ?9 THEN ?10 ELSE failed_reason END, result = ?11, deferred_failure = NULL, \
                   lease_token = NULL, lease_until = NULL, lease_process = NULL, cancel_requested = 0 WHERE seq = ?1";
        tx.connection.prepare_cached(sql)?.execute(params![
            self.seq,
            state_code(state),
            position,
            change.attempts_made,
            change.stalls,
            change.due_at.map(Timestamp::as_millis),
            finished_at.map(Timestamp::as_millis),
            kept.map(|kept| kept.expires_at(tx.now).as_millis()),
            !matches!(why, Reason::Keep),
            why.text(),
            result,
        ])?;
        if matches!(state, State::Waiting | State::Prioritized | State::Delayed) {
            tx.wake(queue);
        }
        Ok(true)
    }

    /// How long the job is kept in `state`, if that is an end.
    pub(super) fn retention(&self, tx: &Tx<'_>, state: State) -> Option<Retention> {
        match state {
            State::Completed => Some(
                self.settings
                    .keep_completed
                    .unwrap_or(tx.shared.keep_completed),
            ),
            State::Failed => Some(self.settings.keep_failed.unwrap_or(tx.shared.keep_failed)),
            _ => None,
        }
    }

    fn record_attempt(
        &self,
        tx: &Tx<'_>,
        outcome: AttemptOutcome,
        error: Option<&str>,
    ) -> Result<(), EngineError> {
        let sql = "INSERT OR REPLACE INTO paceline_attempts (job, start, started_at, ended_at, outcome, error) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        tx.connection.prepare_cached(sql)?.execute(params![
            self.seq,
            self.starts,
            self.started_at.unwrap_or(tx.now).as_millis(),
            tx.now.as_millis(),
            outcome_code(outcome),
            error,
        ])?;
        let kept = tx.shared.limits.attempts;
        if self.starts > kept {
            tx.connection
                .prepare_cached("DELETE FROM paceline_attempts WHERE job = ?1 AND start <= ?2")?
                .execute(params![self.seq, self.starts - kept])?;
        }
        Ok(())
    }
}

/// What becomes of the stored failure reason.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason<'a> {
    Keep,
    Clear,
    Is(&'a str),
}

impl<'a> Reason<'a> {
    const fn text(self) -> Option<&'a str> {
        match self {
            Self::Is(text) => Some(text),
            Self::Keep | Self::Clear => None,
        }
    }
}

fn delete(tx: &Tx<'_>, seq: i64) -> Result<(), EngineError> {
    tx.connection
        .prepare_cached("DELETE FROM paceline_jobs WHERE seq = ?1")?
        .execute([seq])?;
    Ok(())
}
