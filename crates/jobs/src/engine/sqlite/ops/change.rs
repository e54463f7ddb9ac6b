use std::time::Duration;

use rusqlite::params;

use super::super::tx::{QueueRef, Tx};
use super::stored::{Reason, StoredJob};
use crate::clock::Timestamp;
use crate::engine::JobChange;
use crate::error::{EngineError, ManageError};
use crate::names::{JobId, QueueName};
use crate::state::{JobFacts, State, Trigger, decide};

/// Changes the priority, the delay or the payload of a job.
pub(in super::super) fn change(
    tx: &mut Tx<'_>,
    name: &QueueName,
    id: &JobId,
    change: &JobChange,
) -> Result<(), ManageError> {
    let queue = tx.find_queue(name)?.ok_or(ManageError::NotFound)?;
    let queue_id = tx.row(queue).id;
    let job = StoredJob::find(tx, queue_id, id)?.ok_or(ManageError::NotFound)?;
    let state = job.facts.state;
    match change {
        JobChange::Priority(priority) if state != State::Active && !state.is_finished() => {
            change_priority(tx, queue, &job, *priority)?;
        }
        JobChange::Delay(delay) if state == State::Delayed => {
            change_delay(tx, queue, &job, *delay)?;
        }
        JobChange::Data(data) if !state.is_finished() => {
            tx.connection
                .prepare_cached("UPDATE paceline_jobs SET data = ?2 WHERE seq = ?1")
                .and_then(|mut update| update.execute(params![job.seq, data.get()]))
                .map_err(EngineError::from)?;
        }
        _ => return Err(ManageError::WrongState(state)),
    }
    Ok(())
}

/// A ready job goes to the end of the line of its new priority, or to the front if it is to be served first.
fn change_priority(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &StoredJob,
    priority: u32,
) -> Result<(), EngineError> {
    if priority == job.facts.priority {
        return Ok(());
    }
    let sql = "UPDATE paceline_jobs SET priority = ?2 WHERE seq = ?1";
    tx.connection
        .prepare_cached(sql)?
        .execute(params![job.seq, priority])?;
    let facts = JobFacts {
        priority,
        ..job.facts
    };
    // Only a ready job stands in a line.
    if let Ok(moved) = decide(&facts, Trigger::Reprioritize, tx.now) {
        job.apply(tx, queue, &moved, Reason::Keep, None)?;
    }
    Ok(())
}

/// Workers that sleep until the old time are woken.
fn change_delay(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &StoredJob,
    delay: Duration,
) -> Result<(), EngineError> {
    let due: Timestamp = tx.now.saturating_add(delay);
    tx.connection
        .prepare_cached("UPDATE paceline_jobs SET due_at = ?2 WHERE seq = ?1")?
        .execute(params![job.seq, due.as_millis()])?;
    tx.wake(queue);
    Ok(())
}
