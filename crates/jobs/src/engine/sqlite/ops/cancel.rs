use super::super::tx::Tx;
use super::stored::StoredJob;
use crate::error::{EngineError, ManageError};
use crate::names::{JobId, QueueName};
use crate::state::State;

/// Why a job that was cancelled failed.
pub(super) const CANCELLED: &str = "the job was cancelled";

/// Marks an active job as to be given up: its worker sees it when it renews the lease, those of this process at
/// once. However the attempt ends, unless it completed, the job fails for good.
pub(in super::super) fn cancel(
    tx: &mut Tx<'_>,
    name: &QueueName,
    id: &JobId,
) -> Result<(), ManageError> {
    let queue = tx.find_queue(name)?.ok_or(ManageError::NotFound)?;
    let queue_id = tx.row(queue).id;
    let job = StoredJob::find(tx, queue_id, id)?.ok_or(ManageError::NotFound)?;
    if job.facts.state != State::Active {
        return Err(ManageError::WrongState(job.facts.state));
    }
    tx.connection
        .prepare_cached("UPDATE paceline_jobs SET cancel_requested = 1 WHERE seq = ?1")
        .and_then(|mut update| update.execute([job.seq]))
        .map_err(EngineError::from)?;
    tx.note_cancellation(queue);
    Ok(())
}
