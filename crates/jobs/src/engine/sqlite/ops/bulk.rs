//! Changes to many jobs, a bounded step at a time: a reader finds the jobs without holding up the writer, the
//! writer looks at each once more and changes it.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::read::queue_row;
use super::super::tx::{QueueRef, Tx};
use super::manage::change_found;
use super::stored::{StoredJob, select_jobs, state_code};
use crate::clock::Timestamp;
use crate::engine::{BulkAction, BulkStep};
use crate::error::{EngineError, ManageError};
use crate::names::QueueName;
use crate::state::{State, Trigger};

macro_rules! select_ready {
    ($which:literal) => {
        concat!(
            "SELECT seq FROM paceline_jobs WHERE queue = ?1 AND state IN (0, 1) AND ",
            $which,
            " AND created_at <= ?2 ORDER BY priority, position LIMIT ?3"
        )
    };
}

const READY: [&str; 2] = [
    select_ready!("group_name IS NULL"),
    select_ready!("group_name IS NOT NULL"),
];
const WAITING: [&str; 2] = [
    select_ready!("priority = 0 AND group_name IS NULL"),
    select_ready!("priority = 0 AND group_name IS NOT NULL"),
];
const PRIORITIZED: [&str; 2] = [
    select_ready!("priority > 0 AND group_name IS NULL"),
    select_ready!("priority > 0 AND group_name IS NOT NULL"),
];
const DELAYED: &str = "SELECT seq FROM paceline_jobs WHERE queue = ?1 AND state = 2 AND created_at <= ?2 \
                       ORDER BY due_at, position LIMIT ?3";
const CHILDREN: &str = "SELECT seq FROM paceline_jobs WHERE queue = ?1 AND state = 3 AND created_at <= ?2 \
                        ORDER BY created_at LIMIT ?3";
const COMPLETED: &str = "SELECT seq FROM paceline_jobs WHERE queue = ?1 AND state IN (5, 6) AND state = 5 \
                         AND finished_at <= ?2 ORDER BY finished_at LIMIT ?3";
const FAILED: &str = "SELECT seq FROM paceline_jobs WHERE queue = ?1 AND state IN (5, 6) AND state = 6 \
                      AND finished_at <= ?2 ORDER BY finished_at LIMIT ?3";
const ALL: &str = "SELECT seq FROM paceline_jobs WHERE queue = ?1 AND ?2 >= 0 LIMIT ?3";

/// The jobs an action may be done to, at most `step`.
pub(in super::super) fn candidates(
    connection: &Connection,
    name: &QueueName,
    action: BulkAction,
    now: Timestamp,
    step: usize,
) -> Result<Vec<i64>, EngineError> {
    let connection = connection.unchecked_transaction()?;
    let Some(queue) = queue_row(&connection, name)? else {
        return Ok(Vec::new());
    };
    let statements: &[&str] = match action {
        BulkAction::RetryFailed => &[FAILED],
        BulkAction::PromoteDelayed => &[DELAYED],
        BulkAction::Drain { delayed: false } => &READY,
        BulkAction::Drain { delayed: true } => &[READY[0], READY[1], DELAYED],
        BulkAction::Clean { state, .. } => match state {
            State::Waiting => &WAITING,
            State::Prioritized => &PRIORITIZED,
            State::Delayed => &[DELAYED],
            State::WaitingChildren => &[CHILDREN],
            State::Completed => &[COMPLETED],
            State::Failed => &[FAILED],
            State::Active => &[],
        },
        BulkAction::Obliterate { .. } => &[ALL],
    };
    let until = oldest(action, now);
    let mut found = Vec::new();
    for sql in statements {
        let room = i64::try_from(step - found.len()).unwrap_or(i64::MAX);
        let mut select = connection.prepare_cached(sql)?;
        let rows =
            select.query_map(params![queue.id, until.as_millis(), room], |row| row.get(0))?;
        for seq in rows {
            found.push(seq?);
        }
    }
    Ok(found)
}

/// Jobs that got where they are after this are left alone.
fn oldest(action: BulkAction, now: Timestamp) -> Timestamp {
    match action {
        BulkAction::Clean { older_than, .. } => {
            let age = i64::try_from(older_than.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_millis(now.as_millis().saturating_sub(age))
        }
        _ => Timestamp::from_millis(i64::MAX),
    }
}

/// Does the action to those of the candidates that still fit.
pub(in super::super) fn step(
    tx: &mut Tx<'_>,
    name: &QueueName,
    action: BulkAction,
    candidates: &[i64],
) -> Result<BulkStep, ManageError> {
    let mut step = BulkStep {
        done: 0,
        more: candidates.len() >= tx.shared.limits.bulk_step,
    };
    let Some(queue) = tx.find_queue(name)? else {
        return Ok(BulkStep::default());
    };
    let trigger = match action {
        BulkAction::RetryFailed => Trigger::Retry,
        BulkAction::PromoteDelayed => Trigger::Promote,
        _ => Trigger::Remove,
    };
    let until = oldest(action, tx.now);
    for seq in candidates {
        // An earlier removal may have taken this one along.
        let Some(job) = find(tx, queue, *seq, until)? else {
            continue;
        };
        if fits(action, job.facts.state) {
            change_found(tx, queue, &job, trigger)?;
            step.done += 1;
        }
    }
    Ok(step)
}

const fn fits(action: BulkAction, state: State) -> bool {
    match action {
        BulkAction::RetryFailed => matches!(state, State::Failed),
        BulkAction::PromoteDelayed => matches!(state, State::Delayed),
        BulkAction::Drain { delayed } => match state {
            State::Waiting | State::Prioritized => true,
            State::Delayed => delayed,
            _ => false,
        },
        BulkAction::Clean { state: wanted, .. } => state_code(state) == state_code(wanted),
        BulkAction::Obliterate { .. } => true,
    }
}

/// A job of the queue that got where it is up to `until`.
pub(super) fn find(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    seq: i64,
    until: Timestamp,
) -> Result<Option<StoredJob>, EngineError> {
    let sql = concat!(
        select_jobs!(),
        " WHERE seq = ?1 AND queue = ?2 AND coalesce(finished_at, created_at) <= ?3"
    );
    let queue_id = tx.row(queue).id;
    let mut select = tx.connection.prepare_cached(sql)?;
    let found = select
        .query_row(params![seq, queue_id, until.as_millis()], |row| {
            Ok(StoredJob::read(row))
        })
        .optional()?;
    found.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each statement walks an index in the order wanted: a step costs what it finds, not what there is.
    #[test]
    fn candidates_are_found_in_order_by_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(include_str!("../schema.sql"))
            .unwrap();
        let all = [READY, WAITING, PRIORITIZED].concat();
        for sql in all
            .into_iter()
            .chain([DELAYED, CHILDREN, COMPLETED, FAILED, ALL])
        {
            let mut explain = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let plan: Vec<String> = explain
                .query_map([1, 1, 1], |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            let plan = plan.join("; ");
            assert!(plan.contains("SEARCH"), "{sql}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
        }
    }
}
