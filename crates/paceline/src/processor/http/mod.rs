//! Delivers jobs by `POST` to one URL, signed after the Standard Webhooks convention.
//!
//! The URL comes from the command line or the configuration, never from a job. Redirects are not followed.
//! What an answer means is decided in [`answer`].

mod answer;
mod connect;
mod envelope;
mod exchange;
mod link;
mod reach;
mod retry_after;
mod signature;
mod tally;

pub(crate) use connect::NoRoots;
pub(crate) use reach::{Reach, is_public};
pub use signature::{InvalidSecret, SigningSecret};
pub(crate) use tally::Tally;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::Uri;
use paceline_jobs::{Job, JobError, Outcome, RawQueue, Worker};
use serde::Serialize;
use serde_json::value::RawValue;

use answer::Verdict;
use exchange::Exchange;

/// How jobs are delivered.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where they go: an absolute `http` or `https` URL.
    pub(crate) target: Uri,
    /// Which addresses the target may have.
    pub(crate) reach: Reach,
    /// How long one delivery may take, the answer's body included.
    pub(crate) timeout: Duration,
    /// Signs deliveries.
    pub(crate) secret: Option<SigningSecret>,
    /// Deliveries at the same time.
    pub(crate) concurrency: NonZeroU32,
}

/// What is stored as the result of a delivered job.
#[derive(Debug, Serialize)]
pub(crate) struct Delivered {
    status: u16,
    /// The answer's body, when it was JSON of at most 4 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

/// Starts a worker that delivers the jobs of `queue`.
///
/// # Errors
/// When the target is `https` and the machine has no root certificates.
pub(crate) fn start(
    queue: RawQueue,
    settings: &Settings,
    tally: Arc<Tally>,
) -> Result<Worker, NoRoots> {
    let exchange = Arc::new(Exchange::new(settings)?);
    let concurrency = usize::try_from(settings.concurrency.get()).unwrap_or(usize::MAX);
    let worker = Worker::builder(queue).concurrency(concurrency);
    Ok(worker.start(move |job: Job<Box<RawValue>>| {
        let (exchange, tally) = (Arc::clone(&exchange), Arc::clone(&tally));
        async move { deliver(&exchange, &tally, &job).await }
    }))
}

async fn deliver(
    exchange: &Exchange,
    tally: &Tally,
    job: &Job<Box<RawValue>>,
) -> Result<Outcome<Delivered>, JobError> {
    let began = Instant::now();
    let sent_at = SystemTime::now();
    let body = envelope::write(job.name(), job.created_at(), job.data());
    let answered = tokio::select! {
        answered = exchange.post(job.id(), sent_at, body) => answered,
        () = job.cancelled() => {
            return Err(JobError::retryable("the delivery was given up: the worker stops or lost the job"));
        }
    };
    let verdict = match answered {
        // Starts that used no attempt: what was postponed, and what was lost or given back.
        Ok(answer) => answer::judge(&answer, job.start().saturating_sub(job.attempt())),
        Err(error) => Verdict::Failed(error.with_causes()),
    };
    tally.count(&verdict);
    report(job, &verdict, began.elapsed());
    match verdict {
        Verdict::Done { status, body } => Ok(Outcome::Completed(Delivered { status, body })),
        Verdict::Later { wait, .. } => Ok(Outcome::Postponed(wait)),
        Verdict::Failed(why) => Err(JobError::retryable(why)),
        Verdict::GiveUp(why) => Err(JobError::unrecoverable(why)),
    }
}

fn report(job: &Job<Box<RawValue>>, verdict: &Verdict, took: Duration) {
    let (queue, id, name, attempt) = (job.queue(), job.id(), job.name(), job.attempt());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match verdict {
        Verdict::Done { status, .. } => {
            tracing::info!(%queue, job = %id, name, attempt, status, ms, "delivered");
        }
        Verdict::Later { status, wait } => {
            let wait = wait.as_secs();
            tracing::info!(%queue, job = %id, name, attempt, status, ms, wait, "the target asks to wait");
        }
        Verdict::Failed(why) | Verdict::GiveUp(why) => {
            let attempts = job.max_attempts();
            tracing::warn!(%queue, job = %id, name, attempt, attempts, ms, why, "not delivered");
        }
    }
}
