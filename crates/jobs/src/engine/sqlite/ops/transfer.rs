//! Jobs that leave for another store, or come from one.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::super::tx::{QueueRef, Tx};
use super::group;
use super::stored::{Settings, state_code};
use crate::clock::Timestamp;
use crate::error::{AddError, EngineError};
use crate::events::JobEventKind;
use crate::flow::JobRef;
use crate::names::{GroupName, JobId, QueueName, SchedulerId};
use crate::options::JobOptions;
use crate::snapshot::Page;
use crate::state::{State, initial};
use crate::transfer::{DeduplicationHold, Imported, JobRecord};

macro_rules! select_records {
    ($where:literal) => {
        concat!(
            "SELECT j.id, j.name, j.data, j.settings, j.created_at, j.due_at, j.attempts_made, j.stalls, \
             j.failed_reason, CASE WHEN j.state = 6 THEN j.finished_at END, j.priority, j.max_attempts, j.group_name, \
             j.scheduler, p.id, q.name, d.id, d.expires_at FROM paceline_jobs j \
             LEFT JOIN paceline_jobs p ON p.seq = j.parent LEFT JOIN paceline_queues q ON q.id = p.queue \
             LEFT JOIN paceline_deduplications d ON d.queue = j.queue AND d.id = j.deduplication AND d.job = j.id \
             WHERE j.queue = (SELECT id FROM paceline_queues WHERE name = ?1) AND ",
            $where,
            " LIMIT ?2 OFFSET ?3"
        )
    };
}

/// Jobs of one state in the order they are listed.
pub(in super::super) fn export(
    connection: &Connection,
    queue: &QueueName,
    state: State,
    page: Page,
) -> Result<Vec<JobRecord>, EngineError> {
    let sql = match state {
        State::Waiting => {
            select_records!("j.state IN (0, 1) AND j.priority = 0 ORDER BY j.priority, j.position")
        }
        State::Prioritized => {
            select_records!("j.state IN (0, 1) AND j.priority > 0 ORDER BY j.priority, j.position")
        }
        State::Delayed => select_records!("j.state = 2 ORDER BY j.due_at, j.position"),
        State::Failed => select_records!("j.state = 6 ORDER BY j.finished_at DESC, j.seq DESC"),
        State::WaitingChildren | State::Active | State::Completed => return Ok(Vec::new()),
    };
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![
        queue.as_str(),
        i64::try_from(page.limit).unwrap_or(i64::MAX),
        i64::try_from(page.offset).unwrap_or(i64::MAX),
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(record(row)?);
    }
    Ok(found)
}

fn record(row: &Row<'_>) -> Result<JobRecord, EngineError> {
    let text = |index: usize| row.get::<_, Option<String>>(index);
    let time = |index: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row
            .get::<_, Option<i64>>(index)?
            .map(Timestamp::from_millis))
    };
    let group = text(12)?.map(GroupName::new).transpose();
    let parent = match (text(14)?, text(15)?) {
        (Some(id), Some(queue)) => Some(JobRef {
            queue: QueueName::new(queue).map_err(|_| EngineError::Damaged("queue name"))?,
            id: JobId::lookup(id),
        }),
        _ => None,
    };
    let settings = Settings::from_text(text(3)?.as_deref())?;
    let options = JobOptions {
        priority: row.get(10)?,
        attempts: Some(row.get(11)?),
        group: group.map_err(|_| EngineError::Damaged("group name"))?,
        ..settings.into_options()
    };
    let data =
        RawValue::from_string(row.get(2)?).map_err(|_| EngineError::Damaged("JSON value"))?;
    Ok(JobRecord {
        id: JobId::lookup(row.get::<_, String>(0)?),
        name: row.get(1)?,
        data,
        options,
        created_at: Timestamp::from_millis(row.get(4)?),
        due_at: time(5)?,
        attempts_made: row.get(6)?,
        stalls: row.get(7)?,
        failed_reason: text(8)?,
        failed_at: time(9)?,
        parent,
        scheduler: text(13)?.map(SchedulerId::lookup),
        deduplication: match text(16)? {
            Some(id) => Some(DeduplicationHold {
                id,
                until: time(17)?,
            }),
            None => None,
        },
    })
}

/// Stores jobs of another store, all or none.
pub(in super::super) fn import(
    tx: &mut Tx<'_>,
    name: &QueueName,
    jobs: &[JobRecord],
) -> Result<Vec<Imported>, AddError> {
    let queue = tx.queue(name)?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        done.push(import_one(tx, queue, job)?);
    }
    tx.wake(queue);
    Ok(done)
}

fn import_one(tx: &mut Tx<'_>, queue: QueueRef, job: &JobRecord) -> Result<Imported, EngineError> {
    let queue_id = tx.row(queue).id;
    let there: Option<(String, i64)> = tx
        .connection
        .prepare_cached("SELECT name, created_at FROM paceline_jobs WHERE queue = ?1 AND id = ?2")?
        .query_row(params![queue_id, job.id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((name, created_at)) = there {
        let same = name == job.name && created_at == job.created_at.as_millis();
        return Ok(if same {
            Imported::Existing
        } else {
            Imported::Taken
        });
    }
    let state = insert(tx, queue, job)?;
    if let Some(hold) = &job.deduplication {
        // A job that was added here meanwhile keeps the id; this one is done all the same.
        let sql = "INSERT INTO paceline_deduplications (queue, id, job, expires_at) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO NOTHING";
        tx.connection.prepare_cached(sql)?.execute(params![
            queue_id,
            hold.id,
            job.id.as_str(),
            hold.until.map(Timestamp::as_millis),
        ])?;
    }
    tx.count_move(queue, None, Some(state));
    if let Some(group) = &job.options.group {
        group::moved(tx, queue, group.as_str(), None, Some(state))?;
    }
    tx.tell(queue, Some(&job.id), JobEventKind::Added);
    Ok(Imported::Added)
}

fn insert(tx: &mut Tx<'_>, queue: QueueRef, job: &JobRecord) -> Result<State, EngineError> {
    let options = &job.options;
    let (state, due_at) = match (job.failed_at, job.due_at) {
        (Some(_), _) => (State::Failed, None),
        (None, Some(due)) if due > tx.now => (State::Delayed, Some(due)),
        (None, _) => initial(options.priority, std::time::Duration::ZERO, false, tx.now),
    };
    let keep_failed = options.keep_failed.unwrap_or(tx.shared.keep_failed);
    let expires_at = job.failed_at.map(|at| keep_failed.expires_at(at));
    // At the end of the line, whatever way the job was added: a whole line comes over in its order.
    let position = tx.take_position(queue);
    let sql = "INSERT INTO paceline_jobs (queue, id, name, state, priority, position, attempts_made, max_attempts, starts, \
               stalls, settings, created_at, due_at, finished_at, expires_at, failed_reason, data, group_name, \
               deduplication, scheduler) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
    let queue_id = tx.row(queue).id;
    tx.connection.prepare_cached(sql)?.execute(params![
        queue_id,
        job.id.as_str(),
        job.name,
        state_code(state),
        options.priority,
        position,
        job.attempts_made,
        options.attempts.unwrap_or(1),
        job.attempts_made.saturating_add(job.stalls),
        job.stalls,
        Settings::of(options).to_text()?,
        job.created_at.as_millis(),
        due_at.map(Timestamp::as_millis),
        job.failed_at.map(Timestamp::as_millis),
        expires_at.map(Timestamp::as_millis),
        job.failed_reason,
        job.data.get(),
        options.group.as_ref().map(GroupName::as_str),
        job.deduplication.as_ref().map(|hold| hold.id.as_str()),
        job.scheduler.as_ref().map(SchedulerId::as_str),
    ])?;
    Ok(state)
}
