//! One job: decode, handle, say how it ended.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use tower_service::Service;

use super::Job;
use super::attempt::Attempt;
use super::ending::{Answer, Handled, ending};
use super::finish::Ended;
use super::job::Facts;
use super::running::Shared;
use super::slots::Place;
use crate::engine::Ending;
use crate::outcome::{IntoJobError, IntoOutcome, JobError, Outcome};

/// A job that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) attempt: Arc<Attempt>,
    pub(super) data: Box<RawValue>,
    pub(super) facts: Facts,
}

/// Whoever has it says how the attempt ends; if nobody does, the task was dropped and it says so itself.
#[derive(Debug)]
pub(super) struct Seat {
    shared: Arc<Shared>,
    attempt: Arc<Attempt>,
    place: Option<Arc<Place>>,
    /// Which attempt at the job it is.
    count: u32,
    ended: bool,
}

impl Seat {
    pub(super) fn new(shared: &Arc<Shared>, taken: &Taken, place: &Arc<Place>) -> Self {
        shared.begin(&taken.attempt);
        Self {
            shared: Arc::clone(shared),
            attempt: Arc::clone(&taken.attempt),
            place: Some(Arc::clone(place)),
            count: taken.facts.attempt,
            ended: false,
        }
    }

    pub(super) fn attempt(&self) -> &Arc<Attempt> {
        &self.attempt
    }

    /// Hands the ending over.
    pub(super) fn settle(mut self, handled: Handled<Answer>) {
        self.end(handled);
    }

    fn end(&mut self, handled: Handled<Answer>) {
        self.ended = true;
        let ending = if self.attempt.end() {
            let (reason, timeout) = (self.attempt.reason(), self.attempt.timeout);
            ending(handled, reason, timeout, |error| self.wait_after(error))
        } else {
            None
        };
        match ending {
            Some(ending) => self.shared.endings.push(Ended {
                attempt: Arc::clone(&self.attempt),
                ending,
                place: self.place.take(),
                at: Instant::now(),
                leaves: true,
            }),
            None => self.shared.running.leave([&self.attempt]),
        }
    }

    /// The worker's own backoff; the job's counts where it has none, or panics.
    fn wait_after(&self, error: &JobError) -> Option<Duration> {
        let backoff = self.shared.settings.backoff.as_ref()?;
        let wait = catch_unwind(AssertUnwindSafe(|| backoff(self.count, error)));
        wait.unwrap_or_else(|_| {
            tracing::error!(queue = %self.shared.queue, "the worker's backoff panicked; the job's own counts");
            None
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Handled::Panicked(
                "it was dropped before it ended".to_owned(),
            ));
        }
    }
}

/// Runs one job in a task of its own.
pub(super) fn start<T, S>(shared: &Arc<Shared>, taken: Taken, place: Arc<Place>, service: S)
where
    T: DeserializeOwned + Send + 'static,
    S: Service<Job<T>> + Send + 'static,
    S::Future: Send,
    S::Response: IntoOutcome,
    S::Error: IntoJobError,
{
    let seat = Seat::new(shared, &taken, &place);
    let engine = shared.engine.clone();
    tokio::spawn(async move {
        let weak = Arc::downgrade(&place);
        let work = async move {
            let job = Job::new(
                decode(&taken.data)?,
                taken.facts,
                taken.attempt,
                engine,
                weak,
            );
            drop(taken.data);
            call(service, job).await
        };
        let mut handled = supervise(work, seat.attempt.aborted()).await;
        if let Handled::Aborted { runs_on } = &mut handled {
            // The seat and this task hold the place; a third holder is a thread that still runs.
            *runs_on = Arc::strong_count(&place) > 2;
        }
        drop(place);
        seat.settle(handled);
    });
}

pub(super) fn decode<T: DeserializeOwned>(data: &RawValue) -> Result<T, JobError> {
    serde_json::from_str(data.get())
        .map_err(|error| JobError::unrecoverable(format!("the payload does not decode: {error}")))
}

/// Calls the service once it is ready.
async fn call<T, S>(mut service: S, job: Job<T>) -> Answer
where
    S: Service<Job<T>>,
    S::Response: IntoOutcome,
    S::Error: IntoJobError,
{
    let done = match std::future::poll_fn(|cx| service.poll_ready(cx)).await {
        Ok(()) => service.call(job).await,
        Err(error) => Err(error),
    };
    done.map_err(IntoJobError::into_job_error).and_then(answer)
}

/// What is stored of what a handler returned.
pub(super) fn answer(value: impl IntoOutcome) -> Answer {
    match value.into_outcome() {
        Outcome::Completed(result) => {
            to_raw_value(&result)
                .map(Outcome::Completed)
                .map_err(|error| {
                    JobError::unrecoverable(format!("the result has no JSON form: {error}"))
                })
        }
        Outcome::Postponed(wait) => Ok(Outcome::Postponed(wait)),
        Outcome::WaitForChildren => Ok(Outcome::WaitForChildren),
    }
}

/// Runs `work` until it ends, panics, or `aborted` completes; the work is gone then.
pub(super) async fn supervise<F: Future>(
    work: F,
    aborted: impl Future<Output = ()>,
) -> Handled<F::Output> {
    let mut work = pin!(work);
    let caught = std::future::poll_fn(move |cx| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Ready(done)) => Poll::Ready(Handled::Returned(done)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Handled::Panicked(message(&*panic))),
        }
    });
    tokio::select! {
        biased;
        handled = caught => handled,
        () = aborted => Handled::Aborted { runs_on: false },
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

/// Gives jobs back that were not begun.
pub(super) fn give_back(shared: &Shared, attempts: impl IntoIterator<Item = Arc<Attempt>>) {
    for attempt in attempts {
        if attempt.end() {
            shared.endings.push(Ended {
                attempt,
                ending: Ending::HandedBack,
                place: None,
                at: Instant::now(),
                leaves: true,
            });
        } else {
            shared.running.leave([&attempt]);
        }
    }
}
