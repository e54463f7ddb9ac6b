//! Standing in the queue for a place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::TryAcquireError;

use super::error::{AcquireError, Kind};
use super::manage::Manage;
use super::shared::{Shared, Slot, now};
use super::shed;
use super::state::State;

/// Takes a place, waiting for one until `deadline`, which stays where it is however often the caller is woken.
pub(super) async fn place<M: Manage>(
    shared: &Arc<Shared<M>>,
    deadline: Instant,
) -> Result<Slot<M>, AcquireError> {
    let began = now();
    if began >= deadline {
        return Err(refused(shared, Kind::Late));
    }
    match shared.places.try_acquire() {
        Ok(permit) => {
            permit.forget();
            return Ok(Slot::take(shared));
        }
        Err(TryAcquireError::Closed) => return Err(refused(shared, Kind::Closed)),
        Err(TryAcquireError::NoPermits) => {}
    }
    let waiting = Waiting::join(shared, began, deadline)?;
    let acquired = tokio::time::timeout_at(deadline.into(), shared.places.acquire()).await;
    match acquired {
        Ok(Ok(permit)) => {
            permit.forget();
            drop(waiting);
            Ok(Slot::take(shared))
        }
        Ok(Err(_)) => Err(refused(shared, Kind::Closed)),
        Err(_) => {
            // The caller is still counted among those who wait: the message tells of the queue it stood in.
            let waited = now().saturating_duration_since(began);
            let estimate = {
                let mut state = shared.state();
                state.counts.timed_out += 1;
                estimate(&state, shared.options.size.get())
            };
            Err(refused(shared, Kind::Exhausted { waited, estimate }))
        }
    }
}

/// How long somebody waits who comes now, where enough leases have ended to tell.
fn estimate<C>(state: &State<C>, size: usize) -> Option<Duration> {
    let hold = state.hold.mean()?;
    Some(shed::estimate(state.waiting, size, hold))
}

fn refused<M: Manage>(shared: &Shared<M>, kind: Kind) -> AcquireError {
    AcquireError::new(kind, shared.occupancy())
}

/// Somebody in the queue, counted until this is dropped.
struct Waiting<'a, M: Manage>(&'a Shared<M>);

impl<'a, M: Manage> Waiting<'a, M> {
    /// Joins the queue, unless that is hopeless.
    fn join(shared: &'a Shared<M>, now: Instant, deadline: Instant) -> Result<Self, AcquireError> {
        let size = shared.options.size.get();
        let left = deadline.saturating_duration_since(now);
        let mut state = shared.state();
        let estimate = estimate(&state, size);
        let refusal = match estimate {
            _ if state.waiting >= shared.options.max_waiting => Kind::QueueFull { estimate },
            Some(estimate) if estimate > left => Kind::Hopeless { estimate, left },
            _ => {
                state.waiting += 1;
                state.counts.waited += 1;
                return Ok(Self(shared));
            }
        };
        state.counts.shed += 1;
        let occupancy = state.occupancy(size, now);
        Err(AcquireError::new(refusal, occupancy))
    }
}

impl<M: Manage> Drop for Waiting<'_, M> {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}
