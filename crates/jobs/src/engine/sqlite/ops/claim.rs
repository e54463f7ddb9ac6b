use rusqlite::{OptionalExtension, params};
use serde_json::value::RawValue;

use super::super::tx::{QueueRef, Tx};
use super::stored::{Reason, Settings, StoredJob, select_jobs, state_code};
use crate::clock::Timestamp;
use crate::engine::{ClaimRequest, Claimed, ClaimedJob, Lease};
use crate::error::EngineError;
use crate::events::JobEventKind;
use crate::names::JobId;
use crate::state::{State, Trigger, decide};

/// Due jobs made ready by one claim; the rest follows with the next.
const PROMOTE_STEP: i64 = 1_000;

/// Takes up to `request.max` ready jobs.
pub(in super::super) fn claim(
    tx: &mut Tx<'_>,
    request: &ClaimRequest,
) -> Result<Claimed, EngineError> {
    let mut claimed = Claimed {
        jobs: Vec::new(),
        next_due: None,
        paused: false,
    };
    let Some(queue) = tx.find_queue(&request.queue)? else {
        return Ok(claimed);
    };
    if tx.row(queue).counts.delayed > 0 {
        promote_due(tx, queue)?;
        claimed.next_due = next_due(tx, queue)?;
    }
    if tx.row(queue).paused {
        claimed.paused = true;
        return Ok(claimed);
    }
    let counts = tx.row(queue).counts;
    if counts.waiting + counts.prioritized > 0 {
        claimed.jobs = take(tx, queue, request)?;
    }
    Ok(claimed)
}

fn take(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    request: &ClaimRequest,
) -> Result<Vec<ClaimedJob>, EngineError> {
    let max = request.max.min(tx.shared.limits.claim);
    let sql = "SELECT seq, id, name, data, priority, attempts_made, max_attempts, starts, created_at, settings FROM paceline_jobs \
               WHERE queue = ?1 AND state IN (0, 1) AND group_name IS NULL ORDER BY priority, position LIMIT ?2";
    let queue_id = tx.row(queue).id;
    let connection = tx.connection;
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![queue_id, i64::try_from(max).unwrap_or(i64::MAX)])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let data: String = row.get(3)?;
        let settings: Option<String> = row.get(9)?;
        let settings = Settings::from_text(settings.as_deref())?;
        let job = ClaimedJob {
            lease: Lease {
                queue: request.queue.clone(),
                id: JobId::lookup(row.get_ref(1)?.as_str().unwrap_or_default()),
                token: request.token.clone(),
                start: row.get::<_, u32>(7)?.saturating_add(1),
            },
            name: row.get(2)?,
            data: RawValue::from_string(data).map_err(|_| EngineError::Damaged("payload"))?,
            attempt: row.get::<_, u32>(5)?.saturating_add(1),
            max_attempts: row.get(6)?,
            priority: row.get(4)?,
            created_at: Timestamp::from_millis(row.get(8)?),
            timeout: settings.timeout,
            group: None,
            parent: None,
            scheduler: None,
        };
        taken.push((row.get::<_, i64>(0)?, job));
    }
    drop(rows);
    let sql = "UPDATE paceline_jobs SET state = ?2, starts = ?3, started_at = ?4, lease_token = ?5, lease_until = ?6, \
               lease_process = ?7 WHERE seq = ?1";
    let mut update = connection.prepare_cached(sql)?;
    for (seq, job) in &taken {
        update.execute(params![
            seq,
            state_code(State::Active),
            job.lease.start,
            tx.now.as_millis(),
            request.token.as_str(),
            tx.now.saturating_add(request.lease_for).as_millis(),
            tx.shared.process,
        ])?;
        tx.count_move(queue, Some(State::ready(job.priority)), Some(State::Active));
        tx.tell(queue, Some(&job.lease.id), JobEventKind::Active);
    }
    Ok(taken.into_iter().map(|(_, job)| job).collect())
}

/// Makes delayed jobs whose time has come ready, in the order of their times.
fn promote_due(tx: &mut Tx<'_>, queue: QueueRef) -> Result<(), EngineError> {
    let queue_id = tx.row(queue).id;
    let sql = concat!(
        select_jobs!(),
        " WHERE queue = ?1 AND state = 2 AND due_at <= ?2 ORDER BY due_at, position LIMIT ?3"
    );
    let due = {
        let mut select = tx.connection.prepare_cached(sql)?;
        let mut rows = select.query(params![queue_id, tx.now.as_millis(), PROMOTE_STEP])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push(StoredJob::read(row)?);
        }
        due
    };
    for job in due {
        if let Ok(change) = decide(&job.facts, Trigger::Due, tx.now) {
            job.apply(tx, queue, &change, Reason::Keep, None)?;
            tx.tell(queue, Some(&job.id), JobEventKind::Waiting);
        }
    }
    Ok(())
}

fn next_due(tx: &mut Tx<'_>, queue: QueueRef) -> Result<Option<Timestamp>, EngineError> {
    let queue_id = tx.row(queue).id;
    let sql =
        "SELECT due_at FROM paceline_jobs WHERE queue = ?1 AND state = 2 ORDER BY due_at LIMIT 1";
    let due: Option<i64> = tx
        .connection
        .prepare_cached(sql)?
        .query_row([queue_id], |row| row.get(0))
        .optional()?;
    Ok(due.map(Timestamp::from_millis))
}
