use rusqlite::params;

use super::super::super::tx::{QueueRef, Tx};
use super::super::add;
use super::{Stored, job_of, note_next_slot};
use crate::clock::Timestamp;
use crate::error::EngineError;
use crate::names::{JobId, SchedulerId};
use crate::scheduler::{CatchUp, Plan, Scheduler, Standing};

/// Schedulers looked at, and jobs made, by one claim or round of upkeep; the rest follows with the next.
const STEP: usize = 100;
const JOBS: usize = 1_000;

/// Makes the jobs of this queue's slots that are due.
pub(in super::super) fn run_due(tx: &mut Tx<'_>, queue: QueueRef) -> Result<(), EngineError> {
    if tx.row(queue).next_slot.is_none_or(|slot| slot > tx.now) {
        return Ok(());
    }
    let sql = "SELECT id, body, made, last_at, next_at FROM paceline_schedulers WHERE queue = ?1 AND next_at <= ?2 \
               ORDER BY next_at LIMIT ?3";
    let queue_id = tx.row(queue).id;
    let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
    let due = {
        let mut select = tx.connection.prepare_cached(sql)?;
        let mut rows = select.query(params![queue_id, tx.now.as_millis(), limit])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push(Stored::read(row)?);
        }
        due
    };
    let mut room = JOBS;
    for scheduler in due {
        if room == 0 {
            break;
        }
        room = room.saturating_sub(run_one(tx, queue, scheduler, room.min(STEP))?);
    }
    note_next_slot(tx, queue)
}

/// Makes the due jobs of all queues.
pub(in super::super) fn run_all_due(tx: &mut Tx<'_>) -> Result<(), EngineError> {
    let sql = "SELECT DISTINCT queue FROM (SELECT queue FROM paceline_schedulers WHERE next_at <= ?1 ORDER BY next_at LIMIT ?2)";
    let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
    let queues: Vec<i64> = {
        let mut select = tx.connection.prepare_cached(sql)?;
        let rows = select.query_map(params![tx.now.as_millis(), limit], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for queue in queues {
        let queue = tx.queue_by_id(queue)?;
        run_due(tx, queue)?;
    }
    Ok(())
}

fn run_one(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    stored: Stored,
    step: usize,
) -> Result<usize, EngineError> {
    let before = stored.standing;
    let scheduler = stored.body.into_scheduler(stored.id)?;
    let queue_id = tx.row(queue).id;
    let standing = match Plan::new(&scheduler) {
        Ok(plan) => {
            let waits =
                scheduler.catch_up != CatchUp::All && has_waiting(tx, queue_id, &scheduler.id)?;
            let mut due = plan.due(before, waits, tx.now, step);
            for slot in &due.make {
                if !make(tx, queue, &scheduler, *slot)? {
                    due.standing.made = due.standing.made.saturating_sub(1);
                }
            }
            due.standing
        }
        Err(error) => {
            // It was sound when it was stored: the time zone database of this machine is another one.
            let queue = tx.name(queue);
            tracing::error!(%queue, scheduler = %scheduler.id, %error, "a scheduler stopped");
            Standing {
                next: None,
                ..before
            }
        }
    };
    let sql = "UPDATE paceline_schedulers SET made = ?3, last_at = ?4, next_at = ?5 WHERE queue = ?1 AND id = ?2";
    tx.connection.prepare_cached(sql)?.execute(params![
        queue_id,
        scheduler.id.as_str(),
        standing.made.cast_signed(),
        standing.last.map(Timestamp::as_millis),
        standing.next.map(Timestamp::as_millis),
    ])?;
    Ok(usize::try_from(standing.made.saturating_sub(before.made)).unwrap_or(step))
}

fn slot_id(scheduler: &SchedulerId, slot: Timestamp) -> JobId {
    JobId::lookup(format!("repeat-{scheduler}-{}", slot.as_millis()))
}

/// Whether a job of the scheduler has not started.
fn has_waiting(tx: &Tx<'_>, queue: i64, id: &SchedulerId) -> Result<bool, EngineError> {
    let sql = "SELECT 1 FROM paceline_jobs WHERE queue = ?1 AND scheduler = ?2 AND starts = 0 AND state IN (0, 1, 2) LIMIT 1";
    let key = params![queue, id.as_str()];
    Ok(tx.connection.prepare_cached(sql)?.exists(key)?)
}

/// Makes the job of a slot, ready; says whether it is new.
fn make(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    scheduler: &Scheduler,
    slot: Timestamp,
) -> Result<bool, EngineError> {
    let id = slot_id(&scheduler.id, slot);
    if add::exists(tx, queue, &id)? {
        return Ok(false);
    }
    add::insert(tx, queue, &id, &job_of(scheduler), &add::Origin::default())?;
    let sql = "UPDATE paceline_jobs SET scheduler = ?3 WHERE queue = ?1 AND id = ?2";
    let queue_id = tx.row(queue).id;
    tx.connection.prepare_cached(sql)?.execute(params![
        queue_id,
        id.as_str(),
        scheduler.id.as_str()
    ])?;
    Ok(true)
}
