use rusqlite::{Connection, OptionalExtension, params};

use super::super::read::queue_row;
use super::super::tx::Tx;
use super::lease::held_job;
use crate::engine::{Lease, LogPage};
use crate::error::{EngineError, LeaseError};
use crate::names::{JobId, QueueName};
use crate::snapshot::Page;

/// Appends a line to the log of the job under `lease`, and drops the oldest beyond the number kept.
pub(in super::super) fn append(
    tx: &mut Tx<'_>,
    lease: &Lease,
    line: &str,
) -> Result<(), LeaseError> {
    let (_, job) = held_job(tx, lease)?;
    let limits = tx.shared.limits;
    let kept = job.settings.keep_logs.unwrap_or(limits.logs);
    let kept = kept.min(limits.logs);
    if kept == 0 {
        return Ok(());
    }
    write(tx, job.seq, limits.cut_line(line), kept).map_err(LeaseError::from)
}

fn write(tx: &Tx<'_>, job: i64, text: &str, kept: u32) -> Result<(), EngineError> {
    let sql = "INSERT INTO paceline_logs (job, line, text) \
               VALUES (?1, (SELECT coalesce(max(line), 0) + 1 FROM paceline_logs WHERE job = ?1), ?2) RETURNING line";
    let line: i64 = tx
        .connection
        .prepare_cached(sql)?
        .query_row(params![job, text], |row| row.get(0))?;
    let first = line - i64::from(kept);
    if first > 0 {
        tx.connection
            .prepare_cached("DELETE FROM paceline_logs WHERE job = ?1 AND line <= ?2")?
            .execute([job, first])?;
    }
    Ok(())
}

/// A part of a job's log, oldest line first.
pub(in super::super) fn list(
    connection: &Connection,
    queue: &QueueName,
    id: &JobId,
    page: Page,
) -> Result<LogPage, EngineError> {
    let connection = connection.unchecked_transaction()?;
    let mut found = LogPage::default();
    let Some(row) = queue_row(&connection, queue)? else {
        return Ok(found);
    };
    let job: Option<i64> = connection
        .prepare_cached("SELECT seq FROM paceline_jobs WHERE queue = ?1 AND id = ?2")?
        .query_row(params![row.id, id.as_str()], |row| row.get(0))
        .optional()?;
    let Some(job) = job else {
        return Ok(found);
    };
    let total: i64 = connection
        .prepare_cached("SELECT count(*) FROM paceline_logs WHERE job = ?1")?
        .query_row([job], |row| row.get(0))?;
    found.total = u64::try_from(total).unwrap_or(0);
    let sql = "SELECT text FROM paceline_logs WHERE job = ?1 ORDER BY line LIMIT ?2 OFFSET ?3";
    let mut select = connection.prepare_cached(sql)?;
    let lines = select.query_map(
        params![
            job,
            i64::try_from(page.limit).unwrap_or(i64::MAX),
            i64::try_from(page.offset).unwrap_or(i64::MAX)
        ],
        |row| row.get(0),
    )?;
    found.lines = lines.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}
