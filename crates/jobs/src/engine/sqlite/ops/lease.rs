use rusqlite::{OptionalExtension, params};
use serde_json::value::RawValue;
use std::time::Duration;

use super::super::tx::{QueueRef, Tx};
use super::stored::StoredJob;
use crate::engine::{Lease, Renewal};
use crate::error::{EngineError, LeaseError};
use crate::events::JobEventKind;
use crate::state::State;

/// The job, if `lease` is still the right to it. This is the fence: worker, start number and state must fit.
/// A lease whose time ran out but which nobody recovered yet still counts; no one else has the job.
pub(super) fn held_job(
    tx: &mut Tx<'_>,
    lease: &Lease,
) -> Result<(QueueRef, StoredJob), LeaseError> {
    let queue = tx.find_queue(&lease.queue)?.ok_or(LeaseError::LeaseLost)?;
    let queue_id = tx.row(queue).id;
    let job = StoredJob::find(tx, queue_id, &lease.id)?.ok_or(LeaseError::LeaseLost)?;
    let held = job.facts.state == State::Active
        && job.starts == lease.start
        && job.lease_token.as_deref() == Some(lease.token.as_str());
    if held {
        Ok((queue, job))
    } else {
        Err(LeaseError::LeaseLost)
    }
}

/// Makes each lease that still holds run from now on.
pub(in super::super) fn renew(
    tx: &mut Tx<'_>,
    leases: &[Lease],
    lease_for: Duration,
) -> Result<Vec<Renewal>, EngineError> {
    let until = tx.now.saturating_add(lease_for).as_millis();
    let sql = "UPDATE paceline_jobs SET lease_until = ?5 \
               WHERE queue = ?1 AND id = ?2 AND state = 4 AND lease_token = ?3 AND starts = ?4 \
               RETURNING cancel_requested";
    let mut held = Vec::with_capacity(leases.len());
    for lease in leases {
        let Some(queue) = tx.find_queue(&lease.queue)? else {
            held.push(Renewal::Lost);
            continue;
        };
        let queue_id = tx.row(queue).id;
        let lease = params![
            queue_id,
            lease.id.as_str(),
            lease.token.as_str(),
            lease.start,
            until,
        ];
        let cancelled: Option<bool> = tx
            .connection
            .prepare_cached(sql)?
            .query_row(lease, |row| row.get(0))
            .optional()?;
        held.push(match cancelled {
            None => Renewal::Lost,
            Some(true) => Renewal::CancelRequested,
            Some(false) => Renewal::Held,
        });
    }
    Ok(held)
}

/// Stores reported progress.
pub(in super::super) fn progress(
    tx: &mut Tx<'_>,
    lease: &Lease,
    value: &RawValue,
) -> Result<(), LeaseError> {
    let (queue, job) = held_job(tx, lease)?;
    tx.connection
        .prepare_cached("UPDATE paceline_jobs SET progress = ?2 WHERE seq = ?1")
        .and_then(|mut update| update.execute(params![job.seq, value.get()]))
        .map_err(EngineError::from)?;
    tx.tell(queue, Some(&job.id), JobEventKind::Progress);
    tx.tell_more(|event| event.progress = Some(value.to_owned()));
    Ok(())
}
