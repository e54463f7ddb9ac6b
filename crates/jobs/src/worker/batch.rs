//! Handlers that get several jobs at once.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::Job;
use super::ending::{Answer, Handled};
use super::fetch::Starter;
use super::run::{Seat, Taken, answer, decode, supervise};
use super::running::Shared;
use super::slots::{Place, Places};
use crate::outcome::{IntoOutcome, JobError};

/// How large batches are, and how long a small one waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchSize {
    /// Jobs at most.
    pub(super) most: usize,
    /// Jobs that are enough to start at once.
    pub(super) enough: usize,
    /// How long fewer wait for company.
    pub(super) wait: Duration,
}

impl BatchSize {
    /// How many of the `waiting` jobs make a batch now; 0 for none yet.
    fn next(&self, waiting: usize, since: Option<Instant>, now: Instant) -> usize {
        let waited = since.is_some_and(|since| now.saturating_duration_since(since) >= self.wait);
        if waiting >= self.enough || waited {
            waiting.min(self.most)
        } else {
            0
        }
    }
}

/// One place a batch. Jobs of a batch that is too small are held, and their leases renewed, until it is
/// large enough or has waited long enough.
pub(super) struct Batches<T, F> {
    size: BatchSize,
    handler: Arc<F>,
    waiting: Vec<Taken>,
    since: Option<Instant>,
    payload: std::marker::PhantomData<fn() -> T>,
}

impl<T, F> Batches<T, F> {
    pub(super) fn new(size: BatchSize, handler: F) -> Self {
        Self {
            size,
            handler: Arc::new(handler),
            waiting: Vec::new(),
            since: None,
            payload: std::marker::PhantomData,
        }
    }
}

impl<T, F, R, O> Starter for Batches<T, F>
where
    T: DeserializeOwned + Send + 'static,
    F: Fn(Vec<Job<T>>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Result<O, JobError>>, JobError>> + Send,
    O: IntoOutcome + Send,
{
    fn wanted(&self, free: usize) -> usize {
        let room = free.saturating_mul(self.size.most);
        room.saturating_sub(self.waiting.len()).max(1)
    }

    fn start(&mut self, shared: &Arc<Shared>, jobs: Vec<Taken>, mut places: Places) {
        let now = Instant::now();
        if !jobs.is_empty() {
            self.since.get_or_insert(now);
        }
        self.waiting.extend(jobs);
        loop {
            let count = self.size.next(self.waiting.len(), self.since, now);
            if count == 0 {
                return;
            }
            let Some(place) = places.split() else {
                return;
            };
            let rest = self.waiting.split_off(count);
            let batch = std::mem::replace(&mut self.waiting, rest);
            self.since = (!self.waiting.is_empty()).then_some(now);
            run(shared, batch, &place, Arc::clone(&self.handler));
        }
    }

    fn due(&self) -> Option<Instant> {
        self.since
            .and_then(|since| since.checked_add(self.size.wait))
    }

    fn leftover(self) -> Vec<Taken> {
        self.waiting
    }
}

/// Runs one batch in a task of its own.
fn run<T, F, R, O>(shared: &Arc<Shared>, batch: Vec<Taken>, place: &Arc<Place>, handler: Arc<F>)
where
    T: DeserializeOwned + Send + 'static,
    F: Fn(Vec<Job<T>>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Result<O, JobError>>, JobError>> + Send,
    O: IntoOutcome + Send,
{
    let mut seats = Vec::with_capacity(batch.len());
    let mut jobs = Vec::with_capacity(batch.len());
    for taken in batch {
        let seat = Seat::new(shared, &taken, place);
        let decoded = catch_unwind(AssertUnwindSafe(|| decode::<T>(&taken.data)));
        match decoded {
            Ok(Ok(data)) => {
                let (engine, weak) = (shared.engine.clone(), Arc::downgrade(place));
                let attempt = Arc::clone(&taken.attempt);
                jobs.push(Job::new(data, taken.facts, attempt, engine, weak));
                seats.push(seat);
            }
            Ok(Err(error)) => seat.settle(Handled::Returned(Err(error))),
            Err(_) => seat.settle(Handled::Panicked("the payload's type panicked".to_owned())),
        }
    }
    if jobs.is_empty() {
        return;
    }
    tokio::spawn(async move {
        let count = jobs.len();
        let work = async move { answers(count, handler(jobs).await) };
        let done = supervise(work, all_aborted(&seats)).await;
        settle(seats, done);
    });
}

/// One answer a job, in the order the handler got them.
fn answers<O: IntoOutcome>(
    count: usize,
    done: Result<Vec<Result<O, JobError>>, JobError>,
) -> Result<Vec<Answer>, JobError> {
    let done = done?;
    if done.len() != count {
        return Err(JobError::retryable(format!(
            "the handler answered {} outcomes for a batch of {count} jobs",
            done.len()
        )));
    }
    let each = done.into_iter().map(|done| done.and_then(answer));
    Ok(each.collect())
}

/// A batch is dropped only when all its jobs are: each that is not keeps the others' handler.
async fn all_aborted(seats: &[Seat]) {
    for seat in seats {
        seat.attempt().aborted().await;
    }
}

fn settle(seats: Vec<Seat>, handled: Handled<Result<Vec<Answer>, JobError>>) {
    match handled {
        Handled::Returned(Ok(answers)) => {
            for (seat, answer) in seats.into_iter().zip(answers) {
                seat.settle(Handled::Returned(answer));
            }
        }
        Handled::Returned(Err(error)) => {
            for seat in seats {
                seat.settle(Handled::Returned(Err(error.clone())));
            }
        }
        Handled::Panicked(message) => {
            for seat in seats {
                seat.settle(Handled::Panicked(message.clone()));
            }
        }
        Handled::Aborted { runs_on } => {
            for seat in seats {
                seat.settle(Handled::Aborted { runs_on });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_starts_when_it_is_large_enough_or_has_waited_long_enough() {
        let size = BatchSize {
            most: 10,
            enough: 4,
            wait: Duration::from_secs(2),
        };
        let since = Instant::now();
        for (waiting, after, expected) in [
            (0, 0, 0),
            (3, 0, 0),
            (3, 1_999, 0),
            (3, 2_000, 3),
            (4, 0, 4),
            (10, 0, 10),
            (25, 0, 10),
        ] {
            let now = since + Duration::from_millis(after);
            let since = (waiting > 0).then_some(since);
            assert_eq!(
                size.next(waiting, since, now),
                expected,
                "{waiting} jobs after {after} ms"
            );
        }
    }
}
