use rusqlite::{OptionalExtension, params};

use super::super::tx::{QueueRef, Tx};
use super::deduplication::{self, Verdict};
use super::group;
use super::stored::{Settings, state_code};
use crate::deduplication::Deduplication;
use crate::engine::{Added, NewJob};
use crate::error::{AddError, EngineError};
use crate::events::JobEventKind;
use crate::names::{GroupName, JobId, QueueName};
use crate::options::IdempotencyKey;
use crate::state::initial;

/// Bytes that the first start of a job takes up in its row: a token, two times and a process.
pub(super) const ROOM: i64 = 48;

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
    Ok(
        match enter(tx, queue, job, &Origin::default(), max_not_started)? {
            Entered::New { id, .. } => Added {
                id,
                existing: false,
            },
            Entered::Existing(id) => Added { id, existing: true },
        },
    )
}

/// Where a new job comes from, and what it waits for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin {
    /// The row of the job that waits for it.
    pub(super) parent: Option<i64>,
    /// Whether it waits for children that are added next.
    pub(super) has_children: bool,
}

/// What an add came to.
#[derive(Debug)]
pub(super) enum Entered {
    New {
        id: JobId,
        seq: i64,
    },
    /// The job was there before. One that only holds a deduplication id may be gone already.
    Existing(JobId),
}

/// Adds a job, unless its idempotency key, its id or its deduplication says that it is there.
pub(super) fn enter(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &NewJob,
    origin: &Origin,
    max_not_started: Option<u64>,
) -> Result<Entered, AddError> {
    let options = &job.options;
    if let Some(key) = &options.idempotency
        && let Some(id) = earlier_request(tx, queue, key)?
    {
        return Ok(Entered::Existing(id));
    }
    let entered = match &options.id {
        Some(id) if exists(tx, queue, id)? => Entered::Existing(id.clone()),
        _ => add_new(tx, queue, job, origin, max_not_started)?,
    };
    if let Some(key) = &options.idempotency {
        let (Entered::New { id, .. } | Entered::Existing(id)) = &entered;
        remember(tx, queue, key, id)?;
    }
    Ok(entered)
}

/// Adds a job whose id is free, unless its deduplication id is held.
fn add_new(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &NewJob,
    origin: &Origin,
    max_not_started: Option<u64>,
) -> Result<Entered, AddError> {
    let id = job
        .options
        .id
        .clone()
        .unwrap_or_else(|| JobId::fresh(tx.now));
    let mut holds = None;
    if let Some(wanted) = &job.options.deduplication {
        match deduplication::judge(tx, queue, &id, job, wanted)? {
            Verdict::Held(holder) => return Ok(Entered::Existing(holder)),
            Verdict::Free { expires_at } => holds = Some((wanted.id(), expires_at)),
        }
    }
    if let Some(max) = max_not_started
        && tx.row(queue).counts.not_started() >= max
    {
        let queue = tx.name(queue);
        return Err(AddError::QueueFull { queue, max });
    }
    let seq = insert(tx, queue, &id, job, origin)?;
    if let Some((deduplication, expires_at)) = holds {
        deduplication::hold(tx, queue, deduplication, &id, expires_at)?;
    }
    Ok(Entered::New { id, seq })
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

pub(super) fn exists(tx: &mut Tx<'_>, queue: QueueRef, id: &JobId) -> Result<bool, EngineError> {
    let queue = tx.row(queue).id;
    Ok(tx
        .connection
        .prepare_cached("SELECT 1 FROM paceline_jobs WHERE queue = ?1 AND id = ?2")?
        .exists(params![queue, id.as_str()])?)
}

/// Stores a new job; gives its row.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    id: &JobId,
    job: &NewJob,
    origin: &Origin,
) -> Result<i64, EngineError> {
    let options = &job.options;
    let (state, due_at) = initial(options.priority, options.delay, origin.has_children, tx.now);
    let settings = Settings::of(options).to_text()?;
    let sql = "INSERT INTO paceline_jobs (queue, id, name, state, priority, position, max_attempts, settings, created_at, \
               due_at, data, group_name, deduplication, parent, room) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, zeroblob(?15))";
    let position = if options.lifo {
        tx.take_front(queue)
    } else {
        tx.take_position(queue)
    };
    let queue_id = tx.row(queue).id;
    let group = options.group.as_ref().map(GroupName::as_str);
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
        group,
        options.deduplication.as_ref().map(Deduplication::id),
        origin.parent,
        ROOM,
    ])?;
    let seq = tx.connection.last_insert_rowid();
    tx.count_move(queue, None, Some(state));
    if let Some(group) = group {
        group::moved(tx, queue, group, None, Some(state))?;
    }
    tx.tell(queue, Some(id), JobEventKind::Added);
    tx.wake(queue);
    Ok(seq)
}
