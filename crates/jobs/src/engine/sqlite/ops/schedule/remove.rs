use rusqlite::params;

use super::super::super::tx::Tx;
use super::super::manage::change_found;
use super::super::stored::select_jobs;
use super::super::sweep::collect;
use super::note_next_slot;
use crate::error::{EngineError, ManageError};
use crate::names::{QueueName, SchedulerId};
use crate::state::Trigger;

/// What one step of a removal did.
#[derive(Debug, Clone, Copy)]
pub(in super::super::super) struct RemovalStep {
    /// Whether there was such a scheduler.
    pub(in super::super::super) found: bool,
    /// The newest job there was at the first step: later ones are not the removed scheduler's.
    pub(in super::super::super) newest: i64,
    /// Whether jobs are left.
    pub(in super::super::super) more: bool,
}

/// Removes a scheduler, and a step of its jobs that have not started.
pub(in super::super::super) fn remove(
    tx: &mut Tx<'_>,
    name: &QueueName,
    id: &SchedulerId,
    newest: Option<i64>,
) -> Result<RemovalStep, EngineError> {
    let mut step = RemovalStep {
        found: false,
        newest: 0,
        more: false,
    };
    let Some(queue) = tx.find_queue(name)? else {
        return Ok(step);
    };
    let queue_id = tx.row(queue).id;
    if newest.is_none() {
        let sql = "DELETE FROM paceline_schedulers WHERE queue = ?1 AND id = ?2";
        let removed = tx
            .connection
            .prepare_cached(sql)?
            .execute(params![queue_id, id.as_str()])?;
        step.found = removed > 0;
        note_next_slot(tx, queue)?;
    }
    step.newest = match newest {
        Some(newest) => newest,
        None => tx
            .connection
            .prepare_cached("SELECT coalesce(max(seq), 0) FROM paceline_jobs")?
            .query_row([], |row| row.get(0))?,
    };
    let sql = concat!(
        select_jobs!(),
        " WHERE queue = ?1 AND scheduler = ?2 AND starts = 0 AND state IN (0, 1, 2) AND seq <= ?3 LIMIT ?4"
    );
    let max = tx.shared.limits.bulk_step;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let jobs = collect(tx, sql, params![queue_id, id.as_str(), step.newest, limit])?;
    step.more = jobs.len() == max;
    for job in &jobs {
        // A job that is not in a state to be removed goes its way without the scheduler.
        if let Err(ManageError::Engine(error)) = change_found(tx, queue, job, Trigger::Remove) {
            return Err(error);
        }
    }
    Ok(step)
}
