use std::collections::HashMap;
use std::time::Duration;

use super::job_options::whole_millis;
use super::keys::lock_value;
use super::reply::{int, list};
use super::script::{LOG, PROGRESS, RENEW};
use super::store::Store;
use crate::engine::{Lease, Renewal};
use crate::error::{EngineError, LeaseError};
use crate::names::QueueName;

/// Makes leases that still hold run from now on.
pub(super) async fn renew(
    store: &Store,
    leases: &[Lease],
    lease_for: Duration,
) -> Result<Vec<Renewal>, EngineError> {
    let mut answers = vec![Renewal::Lost; leases.len()];
    let mut by_queue: HashMap<&QueueName, Vec<usize>> = HashMap::new();
    for (index, lease) in leases.iter().enumerate() {
        by_queue.entry(&lease.queue).or_default().push(index);
    }
    for (queue, indices) in by_queue {
        let mut call = store
            .script(&RENEW, queue)
            .arg(whole_millis(lease_for).max(1));
        for index in &indices {
            let lease = &leases[*index];
            call.push(lease.id.as_str()).push(lock_value(lease));
        }
        let held = list(store.call(queue, &call).await?);
        for (index, held) in indices.into_iter().zip(held) {
            answers[index] = match int(&held) {
                Some(1) => Renewal::Held,
                Some(2) => Renewal::CancelRequested,
                _ => {
                    store.let_go(&leases[index]);
                    Renewal::Lost
                }
            };
        }
    }
    Ok(answers)
}

/// Stores what a handler reports.
pub(super) async fn progress(store: &Store, lease: &Lease, value: &str) -> Result<(), LeaseError> {
    let call = store
        .script(&PROGRESS, &lease.queue)
        .arg(lease.id.as_str())
        .arg(lock_value(lease))
        .arg(value);
    match int(&store.call(&lease.queue, &call).await?) {
        Some(1) => Ok(()),
        _ => Err(LeaseError::LeaseLost),
    }
}

/// Appends a line to the job's log.
pub(super) async fn log(store: &Store, lease: &Lease, line: &str) -> Result<(), LeaseError> {
    let limits = &store.settings.limits;
    let own = store.held(lease).and_then(|job| job.options.keep_logs);
    let mut end = line.len().min(limits.log_line);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let call = store
        .script(&LOG, &lease.queue)
        .arg(lease.id.as_str())
        .arg(lock_value(lease))
        .arg(own.unwrap_or(limits.logs).min(limits.logs))
        .arg(&line[..end]);
    match int(&store.call(&lease.queue, &call).await?) {
        Some(kept) if kept >= 0 => Ok(()),
        _ => Err(LeaseError::LeaseLost),
    }
}
