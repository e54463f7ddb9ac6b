//! Waiting for the end of a job.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Queue;
use crate::error::WaitError;
use crate::events::{JobEventKind, QueueEvents, Received};
use crate::names::JobId;
use crate::snapshot::JobSnapshot;
use crate::state::State;

/// The longest wait for an event before the job is looked at again: another process may have ended it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl<T> Queue<T> {
    /// Waits until the job has completed or failed, at most `timeout`. It cannot be missed: whoever ends the job,
    /// before or after the call, in this process or in another.
    ///
    /// # Errors
    /// [`WaitError`]. A job that is not kept once it has ended (see [`Retention`](crate::Retention)) is
    /// [`WaitError::Removed`].
    pub async fn wait_until_finished(
        &self,
        id: &JobId,
        timeout: Duration,
    ) -> Result<JobSnapshot, WaitError> {
        let far = Duration::from_hours(24 * 365);
        let deadline = Instant::now() + timeout.min(far);
        // Before the first look, so that nothing happens unheard between the two.
        let mut events = self.events();
        let mut seen = false;
        let mut ended = None;
        loop {
            let state = match self.get(id).await? {
                Some(job) if job.state.is_finished() => return Ok(job),
                Some(job) => job.state,
                None if seen => return Err(WaitError::Removed { ended }),
                None => return Err(WaitError::NotFound),
            };
            seen = true;
            if Instant::now() >= deadline {
                return Err(WaitError::TimedOut(timeout, state));
            }
            let look = deadline.min(Instant::now() + LOOK_EVERY);
            if let Ok(heard) = timeout_at(look, change_of(&mut events, id)).await {
                ended = heard;
            }
        }
    }
}

/// Waits for an event after which the job may have ended, and says how if the event does.
async fn change_of(events: &mut QueueEvents, id: &JobId) -> Option<State> {
    loop {
        match events.next().await {
            Some(Received::Event(event)) if event.id.as_ref() == Some(id) => match event.event {
                JobEventKind::Completed => return Some(State::Completed),
                JobEventKind::Failed => return Some(State::Failed),
                JobEventKind::Removed => return None,
                _ => {}
            },
            Some(Received::Event(_)) => {}
            Some(Received::Lagged(_) | Received::Gap) => return None,
            // The engine is gone; looking at the job says so.
            None => return std::future::pending().await,
        }
    }
}
