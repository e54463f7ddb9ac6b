//! Endings on their way to the engine: those of about the same time go in one call.
//!
//! An ending never waits for company while the engine has nothing to store; behind a call under way, the next
//! batch collects. Measured: a second call under way makes more, smaller commits and takes some more of the
//! processor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::attempt::Attempt;
use super::running::Shared;
use super::slots::Place;
use crate::engine::{Ending, Finish};
use crate::error::{EngineError, LeaseError};
use crate::outcome::with_causes;
use crate::state::State;

/// Batches that are told again at the same time. While there are as many, no further endings are handed over,
/// and so no further jobs taken.
const RETRIES: usize = 2;
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
    line: Mutex<Line>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Line {
    ended: Vec<Ended>,
    /// Whether somebody waits for one.
    awaited: bool,
}

impl Endings {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, ended: Ended) {
        let mut line = self.lock();
        line.ended.push(ended);
        if std::mem::take(&mut line.awaited) {
            drop(line);
            self.filled.notify_one();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().ended.len()
    }

    /// Waits until there is one. For one task.
    async fn filled(&self) {
        while self.is_awaited() {
            self.filled.notified().await;
        }
    }

    /// Whether there is none yet; the next one tells then.
    fn is_awaited(&self) -> bool {
        let mut line = self.lock();
        line.awaited = line.ended.is_empty();
        line.awaited
    }

    /// Lets the jobs that are about to end do so, for as long as they do. Costs nothing when there are none;
    /// ends, because each holds a place.
    async fn settled(&self) {
        let mut before = 0;
        while before < self.len() {
            before = self.len();
            tokio::task::yield_now().await;
        }
    }

    fn take(&self) -> Vec<Ended> {
        let mut line = self.lock();
        let most = line.ended.len().min(MAX_BATCH);
        let rest = line.ended.split_off(most);
        std::mem::replace(&mut line.ended, rest)
    }
}

/// Hands endings over until the worker is done.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut retries = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = retries.join_next(), if !retries.is_empty() => {}
            () = shared.endings.filled(), if retries.len() < RETRIES => {
                shared.endings.settled().await;
                let rest = tell_once(&shared, shared.endings.take()).await;
                if !rest.is_empty() {
                    let shared = Arc::clone(&shared);
                    retries.spawn(async move { tell_again(&shared, rest).await });
                }
            }
            () = shared.done.cancelled() => return,
        }
    }
}

/// Tells the engine until it has them, or until the leases would have ended anyway.
pub(super) async fn tell(shared: &Shared, batch: Vec<Ended>) {
    let rest = tell_once(shared, batch).await;
    tell_again(shared, rest).await;
}

async fn tell_again(shared: &Shared, mut batch: Vec<Ended>) {
    let mut pause = FIRST_PAUSE;
    while !batch.is_empty() {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        batch = tell_once(shared, drop_late(shared, batch)).await;
    }
}

/// Tells the engine once; gives what it did not take.
async fn tell_once(shared: &Shared, mut batch: Vec<Ended>) -> Vec<Ended> {
    if batch.is_empty() {
        return batch;
    }
    match hand_over(shared, &mut batch).await {
        Ok(answers) => settle(shared, batch, answers),
        Err(Failure::Stopped) => {
            leave(shared, &batch);
            Vec::new()
        }
        Err(Failure::NotDone) => batch,
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
