//! Removing a queue with everything in it, a bounded step at a time.

use rusqlite::params;

use super::super::tx::{QueueRef, Tx};
use super::bulk;
use super::manage::change_found;
use crate::clock::Timestamp;
use crate::engine::BulkStep;
use crate::error::{EngineError, ManageError};
use crate::names::QueueName;
use crate::state::{State, Trigger};

/// Removes the jobs given; once there are none left, what else the queue has, and at last the queue.
pub(in super::super) fn step(
    tx: &mut Tx<'_>,
    name: &QueueName,
    force: bool,
    jobs: &[i64],
) -> Result<BulkStep, ManageError> {
    let Some(queue) = tx.find_queue(name)? else {
        return Ok(BulkStep::default());
    };
    let row = *tx.row(queue);
    if !row.paused {
        return Err(ManageError::NotPaused);
    }
    if row.counts.active > 0 && !force {
        return Err(ManageError::HasActive(row.counts.active));
    }
    // First, so that no job is made between the steps.
    remove_schedulers(tx, queue)?;
    let mut step = BulkStep {
        done: 0,
        more: true,
    };
    for seq in jobs {
        let found = bulk::find(tx, queue, *seq, Timestamp::from_millis(i64::MAX))?;
        if let Some(job) = found {
            let trigger = match job.facts.state {
                State::Active => Trigger::Obliterate,
                _ => Trigger::Remove,
            };
            change_found(tx, queue, &job, trigger)?;
            step.done += 1;
        }
    }
    if jobs.is_empty() && !has_jobs(tx, queue)? && remove_rest(tx, queue)? {
        let queue_id = tx.row(queue).id;
        execute(tx, "DELETE FROM paceline_queues WHERE id = ?1", queue_id)?;
        tx.forget(queue);
        step.more = false;
    }
    Ok(step)
}

fn remove_schedulers(tx: &mut Tx<'_>, queue: QueueRef) -> Result<(), EngineError> {
    let queue_id = tx.row(queue).id;
    execute(
        tx,
        "DELETE FROM paceline_schedulers WHERE queue = ?1",
        queue_id,
    )?;
    tx.row(queue).next_slot = None;
    Ok(())
}

fn has_jobs(tx: &mut Tx<'_>, queue: QueueRef) -> Result<bool, EngineError> {
    let sql = "SELECT 1 FROM paceline_jobs WHERE queue = ?1 LIMIT 1";
    let queue_id = tx.row(queue).id;
    Ok(tx.connection.prepare_cached(sql)?.exists([queue_id])?)
}

/// Removes a step of each table; says whether nothing is left.
fn remove_rest(tx: &mut Tx<'_>, queue: QueueRef) -> Result<bool, EngineError> {
    let queue_id = tx.row(queue).id;
    let max = tx.shared.limits.bulk_step;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut empty = true;
    for sql in [
        "DELETE FROM paceline_idempotency WHERE (queue, key) IN \
         (SELECT queue, key FROM paceline_idempotency WHERE queue = ?1 LIMIT ?2)",
        "DELETE FROM paceline_deduplications WHERE (queue, id) IN \
         (SELECT queue, id FROM paceline_deduplications WHERE queue = ?1 LIMIT ?2)",
        "DELETE FROM paceline_groups WHERE (queue, name) IN \
         (SELECT queue, name FROM paceline_groups WHERE queue = ?1 LIMIT ?2)",
    ] {
        let removed = tx
            .connection
            .prepare_cached(sql)?
            .execute(params![queue_id, limit])?;
        empty &= removed < max;
    }
    Ok(empty)
}

fn execute(tx: &Tx<'_>, sql: &str, queue: i64) -> Result<(), EngineError> {
    tx.connection.prepare_cached(sql)?.execute([queue])?;
    Ok(())
}
