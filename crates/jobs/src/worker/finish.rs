//! Endings on their way to the engine: those of about the same time go in one call.
//!
//! Two lanes take turns: while the engine stores one batch, the next is collected and handed over, so
//! that a commit (a round trip) never waits for the worker. What is there goes at once; an ending never
//! waits for company while a lane is free.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::attempt::Attempt;
use super::running::Shared;
use super::slots::Place;
use crate::engine::{Ending, Finish};
use crate::error::{EngineError, LeaseError};
use crate::outcome::with_causes;
use crate::state::State;

/// Batches the engine works on at the same time.
pub(super) const LANES: usize = 2;
/// Endings in one call.
const MAX_BATCH: usize = 1_000;
/// The wait before endings are told again, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An attempt that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) attempt: Arc<Attempt>,
    pub(super) ending: Ending,
    /// Free once the ending is handed over.
    pub(super) place: Option<Arc<Place>>,
    /// When it ended.
    pub(super) at: Instant,
    /// Whether the handler is gone; otherwise the job stays among those under way.
    pub(super) leaves: bool,
}

/// Endings not yet handed over. Bounded by the places: each holds one.
#[derive(Debug, Default)]
pub(super) struct Endings {
    line: Mutex<Vec<Ended>>,
    filled: Notify,
}

impl Endings {
    fn lock(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, ended: Ended) {
        let mut line = self.lock();
        line.push(ended);
        let first = line.len() == 1;
        drop(line);
        if first {
            self.filled.notify_one();
        }
    }

    fn take(&self) -> Vec<Ended> {
        let mut line = self.lock();
        if line.len() <= MAX_BATCH {
            return std::mem::take(&mut *line);
        }
        let rest = line.split_off(MAX_BATCH);
        self.filled.notify_one();
        std::mem::replace(&mut *line, rest)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

/// One lane. Ends when the worker is done.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            biased;
            () = shared.endings.filled.notified() => {}
            () = shared.done.cancelled() => return,
        }
        // Lets the jobs that are about to end do so; costs nothing when there are none.
        tokio::task::yield_now().await;
        let batch = shared.endings.take();
        if !batch.is_empty() {
            tell(&shared, batch).await;
        }
    }
}

/// Tells the engine until it has them, or until the leases would have ended anyway.
pub(super) async fn tell(shared: &Shared, mut batch: Vec<Ended>) {
    let mut pause = FIRST_PAUSE;
    loop {
        batch = match hand_over(shared, &mut batch).await {
            Ok(answers) => settle(shared, batch, answers),
            Err(Failure::Stopped) => {
                leave(shared, &batch);
                return;
            }
            Err(Failure::NotDone) => batch,
        };
        if batch.is_empty() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        batch = drop_late(shared, batch);
    }
}

enum Failure {
    Stopped,
    NotDone,
}

/// One call. The places are free once the engine has been asked, whatever it answers.
async fn hand_over(
    shared: &Shared,
    batch: &mut [Ended],
) -> Result<Vec<Result<State, LeaseError>>, Failure> {
    let endings = batch.iter().map(|ended| Finish {
        lease: ended.attempt.lease.clone(),
        ending: ended.ending.clone(),
    });
    let mut call = shared.engine.finish(endings.collect());
    let at_once = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx))).await;
    for ended in batch {
        ended.place = None;
    }
    let answer = match at_once {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => match tokio::time::timeout(shared.answer_bound(), call).await {
            Ok(answer) => answer,
            Err(_) => return Err(not_done(shared, "it did not answer in time")),
        },
    };
    match answer {
        Ok(answers) => {
            shared.pulse.answered();
            Ok(answers)
        }
        Err(EngineError::Stopped) => Err(Failure::Stopped),
        Err(error) => Err(not_done(shared, &with_causes(&error))),
    }
}

fn not_done(shared: &Shared, error: &str) -> Failure {
    shared.pulse.failed(error);
    tracing::warn!(queue = %shared.queue, error, "cannot store how jobs ended");
    Failure::NotDone
}

/// Lets go of what the engine answered for; gives what it could not do.
fn settle(
    shared: &Shared,
    batch: Vec<Ended>,
    answers: Vec<Result<State, LeaseError>>,
) -> Vec<Ended> {
    let mut answers = answers.into_iter();
    let mut settled = Vec::with_capacity(batch.len());
    let mut again = Vec::new();
    for ended in batch {
        match answers.next() {
            Some(Err(LeaseError::Engine(error))) => {
                not_done(shared, &with_causes(&error));
                again.push(ended);
                continue;
            }
            Some(Err(error)) => {
                let lease = &ended.attempt.lease;
                tracing::warn!(queue = %lease.queue, job = %lease.id, %error, "the lease ended before the job did; it runs again");
            }
            Some(Ok(_)) | None => {
                shared.note_end(matches!(ended.ending, Ending::HandedBack));
            }
        }
        settled.push(ended);
    }
    leave(shared, &settled);
    again
}

/// Gives up on endings that could not be told for as long as a lease runs: the jobs run again.
fn drop_late(shared: &Shared, batch: Vec<Ended>) -> Vec<Ended> {
    let (late, rest): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .partition(|ended| ended.at.elapsed() >= shared.settings.lease);
    for ended in &late {
        let lease = &ended.attempt.lease;
        tracing::error!(queue = %lease.queue, job = %lease.id, "how a job ended could not be stored; it runs again");
    }
    leave(shared, &late);
    rest
}

fn leave(shared: &Shared, batch: &[Ended]) {
    for ended in batch.iter().filter(|ended| !ended.leaves) {
        ended.attempt.release();
    }
    let gone = batch.iter().filter(|ended| ended.leaves);
    shared.running.leave(gone.map(|ended| &ended.attempt));
}
