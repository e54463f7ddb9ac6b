//! Upkeep: ended leases, leases of dead processes, finished jobs and keys that outlived their time.
//! Each round is bounded; what is left waits for the next.

use rusqlite::{Connection, Params, Row, params};

use super::super::process::ProcessIdentity;
use super::super::shared::Shared;
use super::super::tx::Tx;
use super::cancel::CANCELLED;
use super::child;
use super::schedule::run_all_due;
use super::stored::{Reason, StoredJob, select_jobs};
use crate::engine::SweepReport;
use crate::error::EngineError;
use crate::events::JobEventKind;
use crate::state::{State, Trigger};

/// Leases recovered and rows removed in one round, each.
const STEP: i64 = 500;

/// Whether a round would find anything. Takes no lock.
pub(in super::super) fn is_due(
    connection: &Connection,
    shared: &Shared,
) -> Result<bool, EngineError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM paceline_jobs WHERE state = 4 AND lease_until <= ?1) \
               OR EXISTS (SELECT 1 FROM paceline_jobs WHERE expires_at <= ?1) \
               OR EXISTS (SELECT 1 FROM paceline_idempotency WHERE expires_at <= ?1) \
               OR EXISTS (SELECT 1 FROM paceline_deduplications WHERE expires_at <= ?1) \
               OR EXISTS (SELECT 1 FROM paceline_groups WHERE ready = 0 AND active = 0 AND rate_until <= ?1) \
               OR EXISTS (SELECT 1 FROM paceline_schedulers WHERE next_at <= ?1)";
    let due: bool = connection
        .prepare_cached(sql)?
        .query_row([shared.clock.now().as_millis()], |row| row.get(0))?;
    Ok(due || !dead_processes(connection, shared)?.is_empty())
}

/// One round.
pub(in super::super) fn sweep(tx: &mut Tx<'_>) -> Result<SweepReport, EngineError> {
    let mut report = SweepReport::default();
    for process in dead_processes(tx.connection, tx.shared)? {
        let sql = concat!(
            select_jobs!(),
            " WHERE state = 4 AND lease_process = ?1 LIMIT ?2"
        );
        let held = collect(tx, sql, params![process, STEP])?;
        let all = i64::try_from(held.len()).unwrap_or(STEP) < STEP;
        recover(tx, held, "its process died", &mut report)?;
        if all {
            leave(tx, process)?;
        }
    }
    let sql = concat!(
        select_jobs!(),
        " WHERE state = 4 AND lease_until <= ?1 ORDER BY lease_until LIMIT ?2"
    );
    let ended = collect(tx, sql, params![tx.now.as_millis(), STEP])?;
    recover(tx, ended, "its lease ended", &mut report)?;
    report.pruned = prune(tx)?;
    run_all_due(tx)?;
    Ok(report)
}

/// Forgets a process that holds nothing any more.
pub(in super::super) fn leave(tx: &mut Tx<'_>, process: i64) -> Result<(), EngineError> {
    tx.connection
        .prepare_cached("DELETE FROM paceline_processes WHERE id = ?1")?
        .execute([process])?;
    Ok(())
}

pub(super) fn collect(
    tx: &Tx<'_>,
    sql: &str,
    params: impl Params,
) -> Result<Vec<StoredJob>, EngineError> {
    let mut select = tx.connection.prepare_cached(sql)?;
    let mut rows = select.query(params)?;
    let mut jobs = Vec::new();
    while let Some(row) = rows.next()? {
        jobs.push(StoredJob::read(row)?);
    }
    Ok(jobs)
}

/// A cancelled job does not run again.
const fn given_up() -> Trigger {
    Trigger::Fail {
        retryable: false,
        wait: None,
        random: 0.0,
    }
}

fn recover(
    tx: &mut Tx<'_>,
    jobs: Vec<StoredJob>,
    why: &str,
    report: &mut SweepReport,
) -> Result<(), EngineError> {
    let limit = tx.shared.stall_limit;
    for job in jobs {
        let trigger = if job.cancel_requested {
            given_up()
        } else {
            Trigger::Stall { limit }
        };
        let Ok(change) = job.decide(trigger, tx.now) else {
            continue;
        };
        let queue = tx.queue_by_id(job.queue)?;
        let failed = change.state == Some(State::Failed);
        let reason = if let Some(why) = &job.deferred_failure {
            why.clone()
        } else if job.cancel_requested {
            CANCELLED.to_owned()
        } else if failed {
            format!(
                "stalled {} times, at most {limit} are allowed: {why}",
                change.stalls
            )
        } else {
            format!("stalled: {why}")
        };
        job.apply(tx, queue, &change, Reason::Is(&reason), None)?;
        if failed {
            report.stalled_out += 1;
            tx.tell(queue, Some(&job.id), JobEventKind::Failed);
        } else {
            report.recovered += 1;
            tx.tell(queue, Some(&job.id), JobEventKind::Stalled);
        }
        tx.tell_more(|event| event.error = Some(reason));
    }
    Ok(())
}

/// Removes finished jobs, keys, deduplications and rate limits' windows that outlived their time.
fn prune(tx: &mut Tx<'_>) -> Result<usize, EngineError> {
    let now = tx.now.as_millis();
    let sql = "DELETE FROM paceline_jobs WHERE seq IN (SELECT seq FROM paceline_jobs WHERE expires_at <= ?1 ORDER BY expires_at \
               LIMIT ?2) RETURNING queue, state, id, parent";
    let mut removed = child::pruned(tx, sql, params![now, STEP])?;
    for sql in [
        "DELETE FROM paceline_idempotency WHERE (queue, key) IN (SELECT queue, key FROM paceline_idempotency \
         WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        "DELETE FROM paceline_deduplications WHERE (queue, id) IN (SELECT queue, id FROM paceline_deduplications \
         WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        "DELETE FROM paceline_groups WHERE (queue, name) IN (SELECT queue, name FROM paceline_groups \
         WHERE ready = 0 AND active = 0 AND rate_until <= ?1 ORDER BY rate_until LIMIT ?2)",
    ] {
        removed += tx
            .connection
            .prepare_cached(sql)?
            .execute(params![now, STEP])?;
    }
    Ok(removed)
}

/// The registered processes that are certainly dead.
fn dead_processes(connection: &Connection, shared: &Shared) -> Result<Vec<i64>, EngineError> {
    let read = |row: &Row<'_>| -> rusqlite::Result<(i64, ProcessIdentity)> {
        let identity = ProcessIdentity {
            host: row.get(1)?,
            boot: row.get(2)?,
            pids: row.get(3)?,
            pid: row.get(4)?,
            started: row.get(5)?,
        };
        Ok((row.get(0)?, identity))
    };
    let sql =
        "SELECT id, host, boot, pids, pid, started FROM paceline_processes ORDER BY id LIMIT 1000";
    let mut select = connection.prepare_cached(sql)?;
    let known = select
        .query_map([], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(known
        .into_iter()
        .filter(|(_, process)| shared.identity.knows_dead(process))
        .map(|(id, _)| id)
        .collect())
}
