//! Look-ups, on connections of their own: they wait for no writer.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::children::job_ref;
use super::ops::stored::{outcome_of, state_code, state_of};
use super::tx::{QueueRow, read_queue_row, select_queues};
use crate::clock::Timestamp;
use crate::error::EngineError;
use crate::names::{GroupName, JobId, QueueName, SchedulerId};
use crate::snapshot::{AttemptOutcome, AttemptRecord, JobPage, JobSnapshot, Page, QueueInfo};
use crate::state::State;

macro_rules! select_snapshots {
    () => {
        "SELECT seq, id, name, state, data, priority, attempts_made, max_attempts, starts, stalls, progress, result, \
         failed_reason, created_at, due_at, started_at, finished_at, lease_until, group_name, parent, scheduler, deduplication, position \
         FROM paceline_jobs WHERE queue = ?1 "
    };
}

/// Ready jobs of one kind: those without a group and those with one come from an index each, merged.
macro_rules! select_ready {
    ($kind:literal) => {
        concat!(
            select_snapshots!(),
            $kind,
            " AND group_name IS NULL UNION ALL ",
            select_snapshots!(),
            $kind,
            " AND group_name IS NOT NULL ORDER BY 6, 23 LIMIT ?3 OFFSET ?4"
        )
    };
}

pub(super) fn get(
    connection: &Connection,
    queue: &QueueName,
    id: &JobId,
) -> Result<Option<JobSnapshot>, EngineError> {
    // One transaction, so that the job and its attempts fit together.
    let connection = connection.unchecked_transaction()?;
    let Some(row) = queue_row(&connection, queue)? else {
        return Ok(None);
    };
    let mut select = connection.prepare_cached(concat!(select_snapshots!(), "AND id = ?2"))?;
    let mut rows = select.query(params![row.id, id.as_str()])?;
    match rows.next()? {
        Some(row) => snapshot(&connection, queue, row).map(Some),
        None => Ok(None),
    }
}

/// The job in row `seq`, which must be there.
pub(super) fn snapshot_of(
    connection: &Connection,
    queue: &QueueName,
    queue_id: i64,
    seq: i64,
) -> Result<JobSnapshot, EngineError> {
    let mut select = connection.prepare_cached(concat!(select_snapshots!(), "AND seq = ?2"))?;
    let mut rows = select.query(params![queue_id, seq])?;
    let row = rows.next()?.ok_or(EngineError::Damaged("job row"))?;
    snapshot(connection, queue, row)
}

pub(super) fn list(
    connection: &Connection,
    queue: &QueueName,
    state: State,
    page: Page,
) -> Result<JobPage, EngineError> {
    let connection = connection.unchecked_transaction()?;
    let mut found = JobPage {
        jobs: Vec::new(),
        total: 0,
    };
    let Some(row) = queue_row(&connection, queue)? else {
        return Ok(found);
    };
    found.total = row.counts.of(state);
    let sql = match state {
        State::Waiting => select_ready!("AND state IN (0, 1) AND priority = 0 AND ?2 = 0"),
        State::Prioritized => select_ready!("AND state IN (0, 1) AND priority > 0 AND ?2 = 1"),
        State::Delayed => concat!(
            select_snapshots!(),
            "AND state = 2 AND ?2 = 2 ORDER BY due_at, position LIMIT ?3 OFFSET ?4"
        ),
        State::WaitingChildren => concat!(
            select_snapshots!(),
            "AND state = 3 AND ?2 = 3 ORDER BY created_at, seq LIMIT ?3 OFFSET ?4"
        ),
        State::Active => concat!(
            select_snapshots!(),
            "AND state = 4 AND ?2 = 4 ORDER BY lease_until, seq LIMIT ?3 OFFSET ?4"
        ),
        State::Completed | State::Failed => concat!(
            select_snapshots!(),
            "AND state IN (5, 6) AND state = ?2 ORDER BY finished_at DESC, seq DESC LIMIT ?3 OFFSET ?4"
        ),
    };
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![
        row.id,
        state_code(state),
        i64::try_from(page.limit).unwrap_or(i64::MAX),
        i64::try_from(page.offset).unwrap_or(i64::MAX),
    ])?;
    while let Some(row) = rows.next()? {
        found.jobs.push(snapshot(&connection, queue, row)?);
    }
    Ok(found)
}

pub(super) fn info(
    connection: &Connection,
    queue: &QueueName,
) -> Result<Option<QueueInfo>, EngineError> {
    Ok(queue_row(connection, queue)?.map(|row| info_of(queue.clone(), &row)))
}

pub(super) fn queues(connection: &Connection) -> Result<Vec<QueueInfo>, EngineError> {
    let sql = concat!(select_queues!(), " ORDER BY name LIMIT 10000");
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name = QueueName::new(row.get::<_, String>(17)?)
            .map_err(|_| EngineError::Damaged("queue name"))?;
        found.push(info_of(name, &read_queue_row(row)?));
    }
    Ok(found)
}

fn info_of(name: QueueName, row: &QueueRow) -> QueueInfo {
    QueueInfo {
        name,
        paused: row.paused,
        counts: row.counts,
        settings: row.settings,
    }
}

pub(super) fn queue_row(
    connection: &Connection,
    queue: &QueueName,
) -> Result<Option<QueueRow>, EngineError> {
    let sql = concat!(select_queues!(), " WHERE name = ?1");
    Ok(connection
        .prepare_cached(sql)?
        .query_row([queue.as_str()], read_queue_row)
        .optional()?)
}

fn snapshot(
    connection: &Connection,
    queue: &QueueName,
    row: &Row<'_>,
) -> Result<JobSnapshot, EngineError> {
    let time = |index: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row
            .get::<_, Option<i64>>(index)?
            .map(Timestamp::from_millis))
    };
    let group: Option<String> = row.get(18)?;
    let group = group.map(GroupName::new).transpose();
    let mut found = JobSnapshot {
        queue: queue.clone(),
        id: JobId::lookup(row.get::<_, String>(1)?),
        name: row.get(2)?,
        state: state_of(row.get(3)?)?,
        data: raw(row.get(4)?)?,
        priority: row.get(5)?,
        attempts_made: row.get(6)?,
        max_attempts: row.get(7)?,
        starts: row.get(8)?,
        stalls: row.get(9)?,
        progress: row.get::<_, Option<String>>(10)?.map(raw).transpose()?,
        result: row.get::<_, Option<String>>(11)?.map(raw).transpose()?,
        failed_reason: row.get(12)?,
        created_at: Timestamp::from_millis(row.get(13)?),
        due_at: time(14)?,
        started_at: time(15)?,
        finished_at: time(16)?,
        lease_until: time(17)?,
        group: group.map_err(|_| EngineError::Damaged("group"))?,
        parent: match row.get(19)? {
            Some(parent) => job_ref(connection, parent)?,
            None => None,
        },
        scheduler: row.get::<_, Option<String>>(20)?.map(SchedulerId::lookup),
        deduplication: row.get(21)?,
        attempts: Vec::new(),
    };
    found.attempts = attempts(connection, row.get(0)?)?;
    found.attempts.extend(current_attempt(&found));
    Ok(found)
}

/// The attempt that runs, or the one that completed: told by the job itself.
fn current_attempt(job: &JobSnapshot) -> Option<AttemptRecord> {
    let outcome = match job.state {
        State::Active => AttemptOutcome::Running,
        State::Completed => AttemptOutcome::Completed,
        _ => return None,
    };
    Some(AttemptRecord {
        start: job.starts,
        started_at: job.started_at?,
        ended_at: job.finished_at,
        outcome,
        error: None,
    })
}

fn attempts(connection: &Connection, seq: i64) -> Result<Vec<AttemptRecord>, EngineError> {
    let sql = "SELECT start, started_at, ended_at, outcome, error FROM paceline_attempts WHERE job = ?1 ORDER BY start";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([seq])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(AttemptRecord {
            start: row.get(0)?,
            started_at: Timestamp::from_millis(row.get(1)?),
            ended_at: Some(Timestamp::from_millis(row.get(2)?)),
            outcome: outcome_of(row.get(3)?)?,
            error: row.get(4)?,
        });
    }
    Ok(found)
}

fn raw(text: String) -> Result<Box<RawValue>, EngineError> {
    RawValue::from_string(text).map_err(|_| EngineError::Damaged("JSON value"))
}

#[cfg(test)]
mod tests {
    use crate::engine::sqlite::schema::plan_of;

    #[test]
    fn ready_jobs_with_and_without_a_group_are_listed_from_two_indexes_without_sorting() {
        for sql in [
            select_ready!("AND state IN (0, 1) AND priority = 0 AND ?2 = 0"),
            select_ready!("AND state IN (0, 1) AND priority > 0 AND ?2 = 1"),
        ] {
            let plan = plan_of(sql);
            for part in ["MERGE", "paceline_jobs_ready (", "paceline_jobs_arrival ("] {
                assert!(plan.contains(part), "{plan}");
            }
            assert!(!plan.contains("B-TREE"), "{plan}");
        }
    }
}
