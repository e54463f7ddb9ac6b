//! Deduplication ids and the jobs that hold them. The rules and the names are BullMQ's.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::tx::{QueueRef, Tx};
use super::add::{self, Origin};
use super::stored::{Reason, Settings, StoredJob};
use crate::clock::Timestamp;
use crate::deduplication::Deduplication;
use crate::engine::NewJob;
use crate::error::EngineError;
use crate::events::JobEventKind;
use crate::names::{GroupName, JobId};
use crate::options::JobOptions;
use crate::state::{State, Trigger, decide};

/// What an add under a deduplication id comes to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// This job holds the id; nothing is added.
    Held(JobId),
    /// The job is added and holds the id until then.
    Free { expires_at: Option<Timestamp> },
}

struct Holder {
    job: JobId,
    expires_at: Option<Timestamp>,
}

/// Decides about an add of `job`, which would get the id `id`. A holder that is to be replaced is removed.
pub(super) fn judge(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    id: &JobId,
    job: &NewJob,
    wanted: &Deduplication,
) -> Result<Verdict, EngineError> {
    let until = wanted.ttl.map(|ttl| tx.now.saturating_add(ttl));
    let fresh = Verdict::Free {
        expires_at: until.filter(|_| !wanted.keep_last_if_active),
    };
    let Some(holder) = holder(tx, queue, &wanted.id)? else {
        return Ok(fresh);
    };
    if holder.expires_at.is_some_and(|end| end <= tx.now) {
        return Ok(fresh);
    }
    let queue_id = tx.row(queue).id;
    let held_by = StoredJob::find(tx, queue_id, &holder.job)?;
    match &held_by {
        // Without a time the id goes with its job: one that is gone or ended left a stale row.
        None if holder.expires_at.is_none() => return Ok(fresh),
        Some(held) if holder.expires_at.is_none() && held.facts.state.is_finished() => {
            return Ok(fresh);
        }
        Some(held) if wanted.keep_last_if_active && held.facts.state == State::Active => {
            keep_last(tx, queue, id, job, wanted)?;
        }
        Some(held) if wanted.replace && held.facts.state == State::Delayed => {
            remove(tx, queue, held)?;
            tx.tell(queue, Some(id), JobEventKind::Deduplicated);
            let expires_at = match until {
                // The time goes on from the first add unless each add extends it.
                Some(_) if !wanted.extend => holder.expires_at,
                other => other.filter(|_| !wanted.keep_last_if_active),
            };
            return Ok(Verdict::Free { expires_at });
        }
        _ if wanted.extend && until.is_some() => expire(tx, queue, &wanted.id, until)?,
        _ => {}
    }
    tx.tell(queue, Some(&holder.job), JobEventKind::Deduplicated);
    Ok(Verdict::Held(holder.job))
}

/// Makes a job that was just added the holder.
pub(super) fn hold(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    id: &str,
    job: &JobId,
    expires_at: Option<Timestamp>,
) -> Result<(), EngineError> {
    let sql = "INSERT OR REPLACE INTO paceline_deduplications (queue, id, job, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let queue = tx.row(queue).id;
    tx.connection.prepare_cached(sql)?.execute(params![
        queue,
        id,
        job.as_str(),
        expires_at.map(Timestamp::as_millis),
    ])?;
    Ok(())
}

/// The job ended or was removed. It gives the id up, unless that is held for a time (a removal by hand ends
/// that too). The add kept meanwhile follows, in the same transaction.
pub(super) fn release(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    id: &str,
    job: &JobId,
    removed: bool,
) -> Result<(), EngineError> {
    let sql = "DELETE FROM paceline_deduplications WHERE queue = ?1 AND id = ?2 AND job = ?3 \
               AND (expires_at IS NULL OR ?4 OR expires_at <= ?5) RETURNING next";
    let queue_id = tx.row(queue).id;
    let freed: Option<Option<String>> = tx
        .connection
        .prepare_cached(sql)?
        .query_row(
            params![queue_id, id, job.as_str(), removed, tx.now.as_millis()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(next) = freed.flatten() else {
        return Ok(());
    };
    let (next, new) = KeptAdd::read(&next)?;
    if StoredJob::find(tx, queue_id, &next)?.is_some() {
        return Ok(());
    }
    add::insert(tx, queue, &next, &new, &Origin::default())?;
    hold(tx, queue, id, &next, None)
}

fn holder(tx: &mut Tx<'_>, queue: QueueRef, id: &str) -> Result<Option<Holder>, EngineError> {
    let sql = "SELECT job, expires_at FROM paceline_deduplications WHERE queue = ?1 AND id = ?2";
    let queue = tx.row(queue).id;
    let found = tx
        .connection
        .prepare_cached(sql)?
        .query_row(params![queue, id], |row| {
            Ok(Holder {
                job: JobId::lookup(row.get::<_, String>(0)?),
                expires_at: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis),
            })
        })
        .optional()?;
    Ok(found)
}

/// Makes the time begin again; not while an add is kept, which must find the id held when the holder ends.
fn expire(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    id: &str,
    at: Option<Timestamp>,
) -> Result<(), EngineError> {
    let sql = "UPDATE paceline_deduplications SET expires_at = ?3 WHERE queue = ?1 AND id = ?2 AND next IS NULL";
    let queue = tx.row(queue).id;
    tx.connection
        .prepare_cached(sql)?
        .execute(params![queue, id, at.map(Timestamp::as_millis)])?;
    Ok(())
}

/// Keeps the newest add until the holder ends; the id is held until then.
fn keep_last(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    id: &JobId,
    job: &NewJob,
    wanted: &Deduplication,
) -> Result<(), EngineError> {
    let sql = "UPDATE paceline_deduplications SET next = ?3, expires_at = NULL WHERE queue = ?1 AND id = ?2";
    let queue = tx.row(queue).id;
    tx.connection.prepare_cached(sql)?.execute(params![
        queue,
        wanted.id,
        KeptAdd::text(id, job, wanted)?
    ])?;
    Ok(())
}

fn remove(tx: &mut Tx<'_>, queue: QueueRef, held: &StoredJob) -> Result<(), EngineError> {
    if let Ok(change) = decide(&held.facts, Trigger::Remove, tx.now) {
        held.apply(tx, queue, &change, Reason::Keep, None)?;
        tx.tell(queue, Some(&held.id), JobEventKind::Removed);
    }
    Ok(())
}

/// An add that waits for the holder's end, as stored.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAdd {
    id: String,
    name: String,
    data: Box<RawValue>,
    delay: Duration,
    priority: u32,
    attempts: Option<u32>,
    settings: Settings,
    group: Option<String>,
    deduplication: Deduplication,
}

impl KeptAdd {
    fn text(id: &JobId, job: &NewJob, wanted: &Deduplication) -> Result<String, EngineError> {
        let options = &job.options;
        let kept = Self {
            id: id.as_str().to_owned(),
            name: job.name.clone(),
            data: job.data.clone(),
            delay: options.delay,
            priority: options.priority,
            attempts: options.attempts,
            settings: Settings::of(options),
            group: options.group.as_ref().map(|name| name.as_str().to_owned()),
            deduplication: wanted.clone(),
        };
        serde_json::to_string(&kept).map_err(|_| EngineError::Damaged("kept job"))
    }

    fn read(text: &str) -> Result<(JobId, NewJob), EngineError> {
        let damaged = || EngineError::Damaged("kept job");
        let kept: Self = serde_json::from_str(text).map_err(|_| damaged())?;
        let group = kept.group.map(GroupName::new).transpose();
        let settings = kept.settings;
        let options = JobOptions {
            delay: kept.delay,
            priority: kept.priority,
            attempts: kept.attempts,
            backoff: settings.backoff,
            id: None,
            idempotency: None,
            keep_completed: settings.keep_completed,
            keep_failed: settings.keep_failed,
            lifo: settings.lifo,
            timeout: settings.timeout,
            deduplication: Some(kept.deduplication),
            keep_logs: settings.keep_logs,
            group: group.map_err(|_| damaged())?,
            on_failure: settings.on_failure,
        };
        let new = NewJob {
            name: kept.name,
            data: kept.data,
            options,
        };
        Ok((JobId::lookup(kept.id), new))
    }
}
