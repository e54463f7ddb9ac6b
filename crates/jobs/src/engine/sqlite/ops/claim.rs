use rusqlite::{OptionalExtension, Row, params};
use serde_json::value::RawValue;

use super::super::children::job_ref;
use super::super::tx::{QueueRef, QueueRow, Tx};
use super::group;
use super::schedule::run_due;
use super::stored::{Reason, Settings, StoredJob, select_jobs, state_code};
use crate::clock::Timestamp;
use crate::engine::{ClaimRequest, Claimed, ClaimedJob, Lease};
use crate::error::EngineError;
use crate::events::JobEventKind;
use crate::names::{GroupName, JobId, SchedulerId};
use crate::state::{State, Trigger, decide};

/// Due jobs made ready by one claim; the rest follows with the next.
const PROMOTE_STEP: i64 = 1_000;

/// Takes up to `request.max` ready jobs, within the queue's bounds.
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
    run_due(tx, queue)?;
    if let Some(slot) = tx.row(queue).next_slot {
        claimed.next_due = Some(claimed.next_due.map_or(slot, |due| due.min(slot)));
    }
    if tx.row(queue).paused {
        claimed.paused = true;
        return Ok(claimed);
    }
    if tx.row(queue).ready() == 0 {
        return Ok(claimed);
    }
    let max = request.max.min(tx.shared.limits.claim);
    let now = tx.now;
    let room = room(tx.row(queue), max, now);
    let taken = if room > 0 {
        take(tx, queue, request, room)?
    } else {
        Vec::new()
    };
    let row = tx.row(queue);
    if let Some(limit) = row.settings.rate {
        row.window.count(limit, taken.len() as u64, now);
        if row.window.left(limit, now) == 0 && row.ready() > 0 {
            claimed.next_due = sooner(claimed.next_due, Some(row.window.until));
        }
    }
    // Without room, windows that have ended would be told again and again.
    if room > 0 && row.settings.group_rate.is_some() && row.grouped > 0 {
        let queue_id = row.id;
        let next = group::next_window(tx, queue_id)?;
        claimed.next_due = sooner(claimed.next_due, next);
    }
    claimed.jobs = with_parents(tx, taken)?;
    Ok(claimed)
}

/// How many jobs the queue's bounds let start now, at most `max`.
fn room(row: &QueueRow, max: usize, now: Timestamp) -> usize {
    let settings = &row.settings;
    let mut room = max as u64;
    if let Some(most) = settings.concurrency {
        room = room.min(u64::from(most.get()).saturating_sub(row.counts.active));
    }
    if let Some(limit) = settings.rate {
        room = room.min(row.window.left(limit, now));
    }
    usize::try_from(room).unwrap_or(max)
}

fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// A job that was taken.
struct Taken {
    seq: i64,
    parent: Option<i64>,
    job: ClaimedJob,
}

/// Takes ready jobs by priority and order of arrival; with groups, by turns.
fn take(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    request: &ClaimRequest,
    room: usize,
) -> Result<Vec<Taken>, EngineError> {
    if tx.row(queue).grouped == 0 {
        return take_ungrouped(tx, queue, request, room);
    }
    if tx.row(queue).settings.group_rate.is_some() {
        group::open_due(tx, queue)?;
    }
    let mut taken = Vec::new();
    while taken.len() < room {
        let group = group::next(tx, queue)?;
        let row = tx.row(queue);
        let ungrouped = row.ready() > row.grouped;
        match group {
            None if ungrouped => {
                let turn_counts = row.grouped > 0;
                let rest = room - taken.len();
                taken.extend(take_ungrouped(tx, queue, request, rest)?);
                if turn_counts {
                    tx.row(queue).ungrouped_turn = tx.take_position(queue);
                }
                break;
            }
            None => break,
            Some(group) if ungrouped && row.ungrouped_turn < group.turn => {
                taken.extend(take_ungrouped(tx, queue, request, 1)?);
                tx.row(queue).ungrouped_turn = tx.take_position(queue);
            }
            Some(group) => match take_of(tx, queue, request, &group.name)? {
                Some(job) => {
                    let from = State::ready(job.job.priority);
                    taken.push(job);
                    group::took(tx, queue, group, from)?;
                }
                None => group::empty(tx, queue, group)?,
            },
        }
    }
    Ok(taken)
}

/// Columns of a job that is to be taken.
macro_rules! select_ready {
    () => {
        "SELECT seq, id, name, data, priority, attempts_made, max_attempts, starts, created_at, settings, parent, group_name, \
         scheduler FROM paceline_jobs WHERE queue = ?1 AND state IN (0, 1) "
    };
}

fn take_ungrouped(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    request: &ClaimRequest,
    max: usize,
) -> Result<Vec<Taken>, EngineError> {
    let sql = concat!(
        select_ready!(),
        "AND group_name IS NULL ORDER BY priority, position LIMIT ?2"
    );
    let queue_id = tx.row(queue).id;
    let connection = tx.connection;
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![queue_id, i64::try_from(max).unwrap_or(i64::MAX)])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        taken.push(read_ready(row, request)?);
    }
    drop(rows);
    activate(tx, queue, request, &taken)?;
    Ok(taken)
}

/// Takes the first job of one group.
fn take_of(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    request: &ClaimRequest,
    group: &str,
) -> Result<Option<Taken>, EngineError> {
    let queue_id = tx.row(queue).id;
    let first = tx
        .connection
        .prepare_cached(FIRST_OF_GROUP)?
        .query_row(params![queue_id, group], |row| Ok(read_ready(row, request)))
        .optional()?
        .transpose()?;
    if let Some(job) = &first {
        activate(tx, queue, request, std::slice::from_ref(job))?;
    }
    Ok(first)
}

pub(super) const FIRST_OF_GROUP: &str = concat!(
    select_ready!(),
    "AND group_name = ?2 AND group_name IS NOT NULL ORDER BY priority, position LIMIT 1"
);

/// Reads a row of `select_ready!`.
fn read_ready(row: &Row<'_>, request: &ClaimRequest) -> Result<Taken, EngineError> {
    let data: String = row.get(3)?;
    let settings: Option<String> = row.get(9)?;
    let settings = Settings::from_text(settings.as_deref())?;
    let group: Option<String> = row.get(11)?;
    let group = group.map(GroupName::new).transpose();
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
        group: group.map_err(|_| EngineError::Damaged("group"))?,
        parent: None,
        scheduler: row.get::<_, Option<String>>(12)?.map(SchedulerId::lookup),
    };
    Ok(Taken {
        seq: row.get(0)?,
        parent: row.get(10)?,
        job,
    })
}

const ACTIVATE: &str = "UPDATE paceline_jobs SET state = ?2, starts = ?3, started_at = ?4, lease_token = ?5, lease_until = ?6, \
                        lease_process = ?7, room = NULL WHERE seq = ?1";

fn activate(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    request: &ClaimRequest,
    taken: &[Taken],
) -> Result<(), EngineError> {
    let connection = tx.connection;
    let mut update = connection.prepare_cached(ACTIVATE)?;
    for Taken { seq, job, .. } in taken {
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
    Ok(())
}

/// Fills in the jobs that wait for those taken.
fn with_parents(tx: &Tx<'_>, taken: Vec<Taken>) -> Result<Vec<ClaimedJob>, EngineError> {
    let mut jobs = Vec::with_capacity(taken.len());
    for Taken {
        parent, mut job, ..
    } in taken
    {
        if let Some(parent) = parent {
            job.parent = job_ref(tx.connection, parent)?;
        }
        jobs.push(job);
    }
    Ok(jobs)
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
