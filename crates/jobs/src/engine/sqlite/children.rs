//! Looking at parents and children.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;

use super::ops::child::outcome;
use crate::error::EngineError;
use crate::flow::{Children, JobRef};
use crate::names::{JobId, QueueName};

/// Children of one kind that are read.
const MOST: i64 = 10_000;

/// The job in row `seq`, if it is still there.
pub(super) fn job_ref(connection: &Connection, seq: i64) -> Result<Option<JobRef>, EngineError> {
    let sql = "SELECT q.name, j.id FROM paceline_jobs AS j JOIN paceline_queues AS q ON q.id = j.queue WHERE j.seq = ?1";
    let found: Option<(String, String)> = connection
        .prepare_cached(sql)?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(queue, id)| named(queue, id)).transpose()
}

fn named(queue: String, id: String) -> Result<JobRef, EngineError> {
    Ok(JobRef {
        queue: QueueName::new(queue).map_err(|_| EngineError::Damaged("queue name"))?,
        id: JobId::lookup(id),
    })
}

/// How the children of a job stand.
pub(super) fn children(
    connection: &Connection,
    queue: &QueueName,
    id: &JobId,
) -> Result<Option<Children>, EngineError> {
    let connection = connection.unchecked_transaction()?;
    let sql = "SELECT j.seq FROM paceline_jobs AS j JOIN paceline_queues AS q ON q.id = j.queue WHERE q.name = ?1 AND j.id = ?2";
    let parent: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![queue.as_str(), id.as_str()], |row| row.get(0))
        .optional()?;
    let Some(parent) = parent else {
        return Ok(None);
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    let name = |child: (JobRef, Option<String>)| child.0;
    let mut found = Children::default();
    let all = of_kind(&connection, parent, outcome::PENDING)?;
    found.pending = all.into_iter().map(name).collect();
    for (child, result) in of_kind(&connection, parent, outcome::COMPLETED)? {
        let result = RawValue::from_string(text(result));
        let result = result.map_err(|_| EngineError::Damaged("result"))?;
        found.completed.push((child, result));
    }
    let all = of_kind(&connection, parent, outcome::IGNORED)?;
    found.ignored = all.into_iter().map(|(c, why)| (c, text(why))).collect();
    let all = of_kind(&connection, parent, outcome::FAILED)?;
    found.failed = all.into_iter().map(name).collect();
    Ok(Some(found))
}

fn of_kind(
    connection: &Connection,
    parent: i64,
    outcome: i64,
) -> Result<Vec<(JobRef, Option<String>)>, EngineError> {
    let sql = "SELECT queue, id, value FROM paceline_children WHERE parent = ?1 AND outcome = ?2 ORDER BY queue, id LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([parent, outcome, MOST])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((named(row.get(0)?, row.get(1)?)?, row.get(2)?));
    }
    Ok(found)
}
