//! The loop that takes jobs: as many as there are free places, in one claim.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tower_service::Service;

use super::run::{Taken, give_back, start};
use super::running::Shared;
use super::slots::Places;
use super::{Job, job};
use crate::engine::{ClaimRequest, Claimed, ClaimedJob};
use crate::error::EngineError;
use crate::outcome::{IntoJobError, IntoOutcome, with_causes};

/// The wait after an engine failed, doubled with each further failure.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such wait, unless the poll bound is shorter: a worker goes on within five seconds after the engine
/// is back, the answer to the call included.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Starts jobs that were taken.
pub(super) trait Starter: Send + 'static {
    /// How many jobs are wanted for `free` places, at least 1.
    fn wanted(&self, free: usize) -> usize;

    /// Starts what can be started, `jobs` last.
    fn start(&mut self, shared: &Arc<Shared>, jobs: Vec<Taken>, places: Places);

    /// When it wants to be asked again at the latest.
    fn due(&self) -> Option<Instant>;

    /// Jobs not started.
    fn leftover(self) -> Vec<Taken>;
}

/// One place a job.
pub(super) struct Single<T, S> {
    pub(super) service: S,
    pub(super) payload: std::marker::PhantomData<fn() -> T>,
}

impl<T, S> Starter for Single<T, S>
where
    T: DeserializeOwned + Send + 'static,
    S: Service<Job<T>> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: IntoOutcome,
    S::Error: IntoJobError,
{
    fn wanted(&self, free: usize) -> usize {
        free
    }

    fn start(&mut self, shared: &Arc<Shared>, jobs: Vec<Taken>, mut places: Places) {
        for taken in jobs {
            match places.split() {
                Some(place) => start(shared, taken, place, self.service.clone()),
                // More than was asked for.
                None => give_back(shared, [taken.attempt]),
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        None
    }

    fn leftover(self) -> Vec<Taken> {
        Vec::new()
    }
}

/// Takes and starts jobs until the worker stops, then waits until none is held.
pub(super) async fn run(shared: Arc<Shared>, mut starter: impl Starter) {
    let _done = shared.done.clone().drop_guard();
    let mut listener = shared.engine.listen(&shared.queue);
    let mut pause = FIRST_PAUSE;
    while let Some(places) = free_places(&shared).await {
        listener.reset();
        // A claim that has begun is seen through: its jobs would wait for the lease to end.
        let (jobs, look, asked) = match claim(&shared, starter.wanted(places.len())).await {
            Ok(claimed) => {
                pause = FIRST_PAUSE;
                let look = next_look(&shared, &claimed);
                (enter(&shared, claimed.jobs), look, true)
            }
            Err(Failure::Stopped) => break,
            Err(Failure::NotDone) => {
                let look = Instant::now() + pause;
                pause = (pause * 2).min(LONGEST_PAUSE).min(shared.settings.poll);
                (Vec::new(), look, false)
            }
        };
        if shared.stopping.is_cancelled() {
            give_back(&shared, jobs.into_iter().map(|taken| taken.attempt));
            break;
        }
        let idle = jobs.is_empty();
        starter.start(&shared, jobs, places);
        if idle {
            let look = starter.due().map_or(look, |due| due.min(look));
            tokio::select! {
                () = shared.stopping.cancelled() => {}
                () = listener.woken(), if asked => {}
                () = tokio::time::sleep_until(look.into()) => {}
            }
        }
    }
    let leftover = starter.leftover().into_iter();
    give_back(&shared, leftover.map(|taken| taken.attempt));
    shared.stopping.cancel();
    shared.idle().await;
}

/// All places that are free, at least one; `None` once the worker stops.
async fn free_places(shared: &Shared) -> Option<Places> {
    tokio::select! {
        biased;
        () = shared.stopping.cancelled() => None,
        places = shared.slots.take_free() => Some(places),
    }
}

enum Failure {
    Stopped,
    NotDone,
}

async fn claim(shared: &Shared, max: usize) -> Result<Claimed, Failure> {
    let request = ClaimRequest {
        queue: shared.queue.clone(),
        token: shared.token.clone(),
        max,
        lease_for: shared.settings.lease,
    };
    let claimed = shared.engine.claim(request);
    let error = match tokio::time::timeout(shared.answer_bound(), claimed).await {
        Ok(Ok(claimed)) => {
            shared.pulse.fetched(shared.engine.now());
            return Ok(claimed);
        }
        Ok(Err(EngineError::Stopped)) => return Err(Failure::Stopped),
        Ok(Err(error)) => with_causes(&error),
        Err(_) => "it did not answer in time".to_owned(),
    };
    shared.pulse.failed(&error);
    tracing::warn!(queue = %shared.queue, error, "cannot take jobs");
    Err(Failure::NotDone)
}

/// Notes jobs as held from now on.
fn enter(shared: &Shared, jobs: Vec<ClaimedJob>) -> Vec<Taken> {
    let mut rest = Vec::with_capacity(jobs.len());
    let leases = jobs.into_iter().map(|claimed| {
        let (lease, timeout, data, facts) = job::parts(claimed);
        rest.push((data, facts));
        (lease, timeout.or(shared.settings.timeout))
    });
    let attempts = shared.running.enter(leases);
    let taken = |(attempt, (data, facts))| Taken {
        attempt,
        data,
        facts,
    };
    attempts.into_iter().zip(rest).map(taken).collect()
}

/// When the next delayed job is due, within the poll bound.
fn next_look(shared: &Shared, claimed: &Claimed) -> Instant {
    let poll = shared.settings.poll;
    let due = claimed.next_due.filter(|_| !claimed.paused);
    let wait = due.map_or(poll, |due| due.saturating_since(shared.engine.now()));
    // Due times are whole milliseconds; looking in the same one again and again would spin.
    Instant::now() + wait.clamp(Duration::from_millis(1), poll)
}
