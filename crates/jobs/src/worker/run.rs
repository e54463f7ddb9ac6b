//! One job: decode, handle, tell the engine how it ended.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Job;
use super::running::{Held, Shared};
use crate::engine::{ClaimedJob, Ending, Finish, Lease};
use crate::error::{EngineError, LeaseError};
use crate::outcome::{IntoOutcome, JobError, Outcome};

/// The wait before an ending is told again, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) fn start<T, F, R, O>(
    shared: &Arc<Shared>,
    claimed: ClaimedJob,
    slot: OwnedSemaphorePermit,
    handler: Arc<F>,
) where
    T: DeserializeOwned + Send + 'static,
    F: Fn(Job<T>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<O, JobError>> + Send + 'static,
    O: IntoOutcome + Send + 'static,
{
    let held = Held {
        lease: claimed.lease.clone(),
        cancel: CancellationToken::new(),
        lost: CancellationToken::new(),
        abort: None,
    };
    let number = shared.running.enter(held.clone());
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let ending = attempt(&shared, number, claimed, &held, &handler).await;
        let stopped = shared.stopping.is_cancelled();
        if !held.lost.is_cancelled() {
            let given_back = matches!(ending, Ending::HandedBack);
            tell(&shared, &held.lease, ending).await;
            if stopped {
                let counter = if given_back {
                    &shared.handed_back
                } else {
                    &shared.finished
                };
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
        shared.running.leave(number);
        drop(slot);
    });
}

async fn attempt<T, F, R, O>(
    shared: &Arc<Shared>,
    number: u64,
    claimed: ClaimedJob,
    held: &Held,
    handler: &Arc<F>,
) -> Ending
where
    T: DeserializeOwned + Send + 'static,
    F: Fn(Job<T>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<O, JobError>> + Send + 'static,
    O: IntoOutcome + Send + 'static,
{
    let data: T = match serde_json::from_str(claimed.data.get()) {
        Ok(data) => data,
        Err(error) => {
            let error = format!("the payload does not decode: {error}");
            return Ending::Failed {
                error,
                retryable: false,
                wait: None,
            };
        }
    };
    let job = Job::new(claimed, data, shared.engine.clone(), held.cancel.clone());
    let handler = Arc::clone(handler);
    // A task of its own: a panic ends it and nothing else.
    let task = tokio::spawn(async move { handler(job).await });
    shared.running.set_abort(number, task.abort_handle());
    match task.await {
        Ok(Ok(value)) => completed(value),
        Ok(Err(_)) if held.cancel.is_cancelled() => Ending::HandedBack,
        Ok(Err(error)) => {
            let retryable = error.is_retryable();
            Ending::Failed {
                error: error.into_message(),
                retryable,
                wait: None,
            }
        }
        Err(error) if error.is_cancelled() => Ending::HandedBack,
        Err(error) => Ending::Failed {
            error: panicked(error),
            retryable: true,
            wait: None,
        },
    }
}

fn completed<O: IntoOutcome>(value: O) -> Ending {
    match value.into_outcome() {
        Outcome::Completed(result) => match to_raw_value(&result) {
            Ok(result) => Ending::Completed { result },
            Err(error) => Ending::Failed {
                error: format!("the result has no JSON form: {error}"),
                retryable: false,
                wait: None,
            },
        },
        Outcome::Postponed(wait) => Ending::Postponed(wait),
    }
}

fn panicked(error: JoinError) -> String {
    let payload: Box<dyn Any + Send> = match error.try_into_panic() {
        Ok(payload) => payload,
        Err(error) => return format!("the handler did not end: {error}"),
    };
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!(
        "the handler panicked: {}",
        text.unwrap_or("without a message")
    )
}

/// Tells the engine until it has it, or until the lease would have ended anyway.
async fn tell(shared: &Shared, lease: &Lease, ending: Ending) {
    let deadline = Instant::now() + shared.lease;
    let mut pause = FIRST_PAUSE;
    loop {
        let finish = Finish {
            lease: lease.clone(),
            ending: ending.clone(),
        };
        let error = match shared.engine.finish(vec![finish]).await {
            Ok(mut answers) => match answers.pop() {
                Some(Err(LeaseError::LeaseLost)) => {
                    tracing::warn!(queue = %lease.queue, job = %lease.id, "the lease ended before the job did; it runs again");
                    return;
                }
                _ => return,
            },
            Err(EngineError::Stopped) => return,
            Err(error) => error,
        };
        tracing::warn!(queue = %lease.queue, job = %lease.id, error = &error as &dyn std::error::Error, "cannot store how a job ended");
        if Instant::now() + pause >= deadline {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
