//! The loop that takes jobs: as many as there are free slots, in one claim.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::running::Shared;
use super::{Job, run};
use crate::engine::{ClaimRequest, Claimed};
use crate::error::EngineError;
use crate::outcome::{IntoOutcome, JobError};

/// The wait after an engine failed, doubled up to the poll bound.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Settings {
    pub(super) concurrency: usize,
    pub(super) poll: Duration,
}

pub(super) async fn run<T, F, R, O>(shared: Arc<Shared>, settings: Settings, handler: Arc<F>)
where
    T: DeserializeOwned + Send + 'static,
    F: Fn(Job<T>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<O, JobError>> + Send + 'static,
    O: IntoOutcome + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(settings.concurrency));
    let mut listener = shared.engine.listen(&shared.queue);
    let mut pause = FIRST_PAUSE;
    while let Some(free) = free_slots(&shared, &slots).await {
        listener.reset();
        // A claim that has begun is seen through: its jobs would wait for the lease to end.
        match claim(&shared, free.len()).await {
            Ok(claimed) => {
                pause = FIRST_PAUSE;
                shared.note_fetch();
                let idle = claimed.jobs.is_empty();
                let wait = next_look(&shared, &claimed, settings.poll);
                for (job, slot) in claimed.jobs.into_iter().zip(free) {
                    run::start(&shared, job, slot, Arc::clone(&handler));
                }
                if idle {
                    tokio::select! {
                        () = shared.stopping.cancelled() => {}
                        () = listener.woken() => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            }
            Err(EngineError::Stopped) => return,
            Err(error) => {
                tracing::warn!(queue = %shared.queue, error = &error as &dyn std::error::Error, "cannot take jobs");
                tokio::select! {
                    () = shared.stopping.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(settings.poll);
            }
        }
    }
}

/// All slots that are free, at least one; `None` once the worker stops.
async fn free_slots(shared: &Shared, slots: &Arc<Semaphore>) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = tokio::select! {
        biased;
        () = shared.stopping.cancelled() => return None,
        slot = Arc::clone(slots).acquire_owned() => slot.ok()?,
    };
    let mut free = vec![first];
    while let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
        free.push(slot);
    }
    Some(free)
}

async fn claim(shared: &Shared, max: usize) -> Result<Claimed, EngineError> {
    let request = ClaimRequest {
        queue: shared.queue.clone(),
        token: shared.token.clone(),
        max,
        lease_for: shared.lease,
    };
    shared.engine.claim(request).await
}

/// Until the next delayed job is due, within the poll bound.
fn next_look(shared: &Shared, claimed: &Claimed, poll: Duration) -> Duration {
    let due = claimed.next_due.filter(|_| !claimed.paused);
    let wait = due.map_or(poll, |due| due.saturating_since(shared.engine.now()));
    // Due times are whole milliseconds; looking in the same one again and again would spin.
    wait.clamp(Duration::from_millis(1), poll)
}
