use rusqlite::{OptionalExtension, params};

use super::super::tx::{QueueRef, Tx};
use super::stored::{Settings, state_code};
use crate::engine::{Added, NewJob};
use crate::error::{AddError, EngineError};
use crate::events::JobEventKind;
use crate::limits::Limits;
use crate::names::{JobId, QueueName};
use crate::options::IdempotencyKey;
use crate::state::initial;

/// Refuses what no transaction is needed to refuse.
pub(in super::super) fn check(jobs: &[NewJob], limits: &Limits) -> Result<(), AddError> {
    if jobs.len() > limits.bulk {
        return Err(AddError::TooMany {
            count: jobs.len(),
            max: limits.bulk,
        });
    }
    for job in jobs {
        let key = job.options.idempotency.as_ref();
        for (what, size, max) in [
            ("payload", job.data.get().len(), limits.payload),
            ("job name", job.name.len(), 255),
            ("idempotency key", key.map_or(0, |key| key.key.len()), 255),
        ] {
            if size > max {
                return Err(AddError::TooLarge { what, size, max });
            }
        }
    }
    Ok(())
}

/// Adds all jobs or none.
pub(in super::super) fn add(
    tx: &mut Tx<'_>,
    name: &QueueName,
    jobs: &[NewJob],
    max_not_started: Option<u64>,
) -> Result<Vec<Added>, AddError> {
    let queue = tx.queue(name)?;
    jobs.iter()
        .map(|job| add_one(tx, queue, job, max_not_started))
        .collect()
}

fn add_one(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &NewJob,
    max_not_started: Option<u64>,
) -> Result<Added, AddError> {
    if let Some(key) = &job.options.idempotency
        && let Some(id) = earlier_request(tx, queue, key)?
    {
        return Ok(Added { id, existing: true });
    }
    let existing = match &job.options.id {
        Some(id) => exists(tx, queue, id)?,
        None => false,
    };
    let id = job.options.id.clone().unwrap_or_else(JobId::random);
    if !existing {
        if let Some(max) = max_not_started
            && tx.row(queue).counts.not_started() >= max
        {
            let queue = tx.name(queue);
            return Err(AddError::QueueFull { queue, max });
        }
        insert(tx, queue, &id, job)?;
    }
    if let Some(key) = &job.options.idempotency {
        remember(tx, queue, key, &id)?;
    }
    Ok(Added { id, existing })
}

/// The job of an earlier request under the same key.
fn earlier_request(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    key: &IdempotencyKey,
) -> Result<Option<JobId>, AddError> {
    let sql = "SELECT fingerprint, job FROM paceline_idempotency WHERE queue = ?1 AND key = ?2 AND expires_at > ?3";
    let known = tx.row(queue).id;
    let held: Option<(Vec<u8>, String)> = tx
        .connection
        .prepare_cached(sql)
        .map_err(EngineError::from)?
        .query_row(params![known, key.key, tx.now.as_millis()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(EngineError::from)?;
    match held {
        None => Ok(None),
        Some((fingerprint, job)) if fingerprint == key.fingerprint.as_bytes() => {
            Ok(Some(JobId::lookup(job)))
        }
        Some((_, job)) => Err(AddError::IdempotencyConflict {
            job: JobId::lookup(job),
        }),
    }
}

fn remember(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    key: &IdempotencyKey,
    id: &JobId,
) -> Result<(), EngineError> {
    let sql = "INSERT OR REPLACE INTO paceline_idempotency (queue, key, fingerprint, job, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let queue = tx.row(queue).id;
    tx.connection.prepare_cached(sql)?.execute(params![
        queue,
        key.key,
        key.fingerprint.as_bytes(),
        id.as_str(),
        tx.now.saturating_add(key.hold).as_millis(),
    ])?;
    Ok(())
}

fn exists(tx: &mut Tx<'_>, queue: QueueRef, id: &JobId) -> Result<bool, EngineError> {
    let queue = tx.row(queue).id;
    Ok(tx
        .connection
        .prepare_cached("SELECT 1 FROM paceline_jobs WHERE queue = ?1 AND id = ?2")?
        .exists(params![queue, id.as_str()])?)
}

fn insert(tx: &mut Tx<'_>, queue: QueueRef, id: &JobId, job: &NewJob) -> Result<(), EngineError> {
    let options = &job.options;
    let (state, due_at) = initial(options.priority, options.delay, false, tx.now);
    let settings = Settings::of(options).to_text()?;
    let sql = "INSERT INTO paceline_jobs (queue, id, name, state, priority, position, max_attempts, settings, created_at, \
               due_at, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let position = if options.lifo {
        tx.take_front(queue)
    } else {
        tx.take_position(queue)
    };
    let queue_id = tx.row(queue).id;
    tx.connection.prepare_cached(sql)?.execute(params![
        queue_id,
        id.as_str(),
        job.name,
        state_code(state),
        options.priority,
        position,
        options.attempts.unwrap_or(1),
        settings,
        tx.now.as_millis(),
        due_at.map(crate::clock::Timestamp::as_millis),
        job.data.get(),
    ])?;
    tx.count_move(queue, None, Some(state));
    tx.tell(queue, Some(id), JobEventKind::Added);
    tx.wake(queue);
    Ok(())
}
