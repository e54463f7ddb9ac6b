use super::super::tx::{QueueRef, Tx};
use super::stored::{Reason, StoredJob};
use crate::error::{EngineError, ManageError};
use crate::events::JobEventKind;
use crate::names::{JobId, QueueName};
use crate::state::{Trigger, decide};

/// Retries, promotes or removes one job by hand.
pub(in super::super) fn manage(
    tx: &mut Tx<'_>,
    name: &QueueName,
    id: &JobId,
    trigger: Trigger,
) -> Result<(), ManageError> {
    let queue = tx.find_queue(name)?.ok_or(ManageError::NotFound)?;
    let queue_id = tx.row(queue).id;
    let job = StoredJob::find(tx, queue_id, id)?.ok_or(ManageError::NotFound)?;
    change_found(tx, queue, &job, trigger)
}

/// Does to a job what `trigger` asks, and tells of it.
pub(super) fn change_found(
    tx: &mut Tx<'_>,
    queue: QueueRef,
    job: &StoredJob,
    trigger: Trigger,
) -> Result<(), ManageError> {
    let change = decide(&job.facts, trigger, tx.now)
        .map_err(|refused| ManageError::WrongState(refused.state))?;
    let reason = match trigger {
        Trigger::Retry => Reason::Clear,
        _ => Reason::Keep,
    };
    job.apply(tx, queue, &change, reason, None)?;
    let kind = if change.state.is_none() {
        JobEventKind::Removed
    } else {
        JobEventKind::Waiting
    };
    tx.tell(queue, Some(&job.id), kind);
    Ok(())
}

/// Pauses or resumes a queue, creating it if it is new.
pub(in super::super) fn set_paused(
    tx: &mut Tx<'_>,
    name: &QueueName,
    paused: bool,
) -> Result<(), EngineError> {
    let queue = tx.queue(name)?;
    if tx.row(queue).paused == paused {
        return Ok(());
    }
    tx.row(queue).paused = paused;
    if paused {
        tx.tell(queue, None, JobEventKind::Paused);
    } else {
        tx.tell(queue, None, JobEventKind::Resumed);
        tx.wake(queue);
    }
    Ok(())
}
