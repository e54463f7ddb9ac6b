use std::sync::Arc;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::super::super::tx::Tx;
use super::{Body, Stored, job_of, note_next_slot};
use crate::clock::Timestamp;
use crate::engine::checks::check_job;
use crate::error::{AddError, EngineError};
use crate::limits::Limits;
use crate::names::{QueueName, SchedulerId};
use crate::options::JobOptions;
use crate::scheduler::{Plan, Scheduler, SchedulerInfo, Standing};

/// Refuses what no transaction is needed to refuse; an id and the like of the job's options are not used.
pub(in super::super::super) fn check(
    mut scheduler: Scheduler,
    limits: &Limits,
) -> Result<Scheduler, AddError> {
    scheduler.options = JobOptions {
        id: None,
        idempotency: None,
        deduplication: None,
        delay: Duration::ZERO,
        ..scheduler.options
    };
    Plan::new(&scheduler)?;
    check_job(&job_of(&scheduler), limits)?;
    Ok(scheduler)
}

/// Stores a scheduler. What was made stays; the next slot stays if the schedule did.
pub(in super::super::super) fn upsert(
    tx: &mut Tx<'_>,
    name: &QueueName,
    scheduler: &Scheduler,
) -> Result<SchedulerInfo, AddError> {
    let plan = Plan::new(scheduler)?;
    let queue = tx.queue(name)?;
    let queue_id = tx.row(queue).id;
    let before = find(tx, queue_id, &scheduler.id)?;
    if before.is_none() {
        let max = tx.shared.limits.schedulers;
        if count(tx, queue_id)? >= max {
            return Err(AddError::TooManySchedulers { max });
        }
    }
    let body = Body::of(scheduler);
    let mut standing = before
        .as_ref()
        .map_or_else(Standing::default, |before| before.standing);
    let same = before.is_some_and(|before| {
        before.body.schedule == body.schedule
            && before.body.start == body.start
            && before.body.end == body.end
            && before.body.limit == body.limit
    });
    // Without a next slot it ended or was stopped; it may go on now.
    if !same || standing.next.is_none() {
        standing.next = plan.first(standing, tx.now);
    }
    let text = serde_json::to_string(&body).map_err(|error| AddError::Encode(Arc::new(error)))?;
    let sql = "INSERT INTO paceline_schedulers (queue, id, body, made, last_at, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (queue, id) DO UPDATE SET body = ?3, next_at = ?6";
    tx.connection
        .prepare_cached(sql)
        .and_then(|mut upsert| {
            upsert.execute(params![
                queue_id,
                scheduler.id.as_str(),
                text,
                standing.made.cast_signed(),
                standing.last.map(Timestamp::as_millis),
                standing.next.map(Timestamp::as_millis),
            ])
        })
        .map_err(EngineError::from)?;
    note_next_slot(tx, queue)?;
    // Workers that sleep until the slot they knew of look again.
    tx.wake(queue);
    Ok(body.into_info(scheduler.id.clone(), standing)?)
}

fn find(tx: &Tx<'_>, queue: i64, id: &SchedulerId) -> Result<Option<Stored>, EngineError> {
    let sql = "SELECT id, body, made, last_at, next_at FROM paceline_schedulers WHERE queue = ?1 AND id = ?2";
    let mut select = tx.connection.prepare_cached(sql)?;
    let found = select
        .query_row(params![queue, id.as_str()], |row| Ok(Stored::read(row)))
        .optional()?;
    found.transpose()
}

fn count(tx: &Tx<'_>, queue: i64) -> Result<usize, EngineError> {
    let sql = "SELECT count(*) FROM paceline_schedulers WHERE queue = ?1";
    let count: i64 = tx
        .connection
        .prepare_cached(sql)?
        .query_row([queue], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
