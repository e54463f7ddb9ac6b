//! The worker that delivers queued mails.

use std::time::Duration;

use lettre::message::Mailbox;
use paceline_jobs::{Job, JobError, Queue, Worker};

use super::delivery::{Delivery, NotDelivered};
use super::maildir::Maildir;
use super::message::compose;
use super::payload::Email;
use crate::config;

/// Mail delivery cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmailError {
    /// The maildir cannot be made.
    #[error("the maildir {} cannot be created", .0.display())]
    Maildir(std::path::PathBuf, #[source] std::io::Error),
    /// The SMTP address cannot be used. Its text is not shown: it may hold a password.
    #[error("email.deliver is not the address of a mail server")]
    Smtp,
}

/// Starts delivering what the queue holds.
pub(crate) fn start(queue: &Queue<Email>, settings: &config::Email) -> Result<Worker, EmailError> {
    let delivery = open(&settings.deliver)?;
    let from = settings.from.clone();
    let concurrency = settings.concurrency.get() as usize;
    let worker = Worker::builder(queue.clone())
        .concurrency(concurrency)
        .start(move |job: Job<Email>| {
            let (delivery, from) = (delivery.clone(), from.clone());
            async move { deliver(&delivery, &from, &job).await }
        });
    Ok(worker)
}

fn open(settings: &config::Delivery) -> Result<Delivery, EmailError> {
    match settings {
        config::Delivery::Maildir(folder) => match Maildir::open(folder) {
            Ok(maildir) => Ok(Delivery::Maildir(maildir)),
            Err(error) => Err(EmailError::Maildir(folder.clone(), error)),
        },
        config::Delivery::Smtp(url) => Delivery::smtp(url.expose()).map_err(|_| EmailError::Smtp),
    }
}

async fn deliver(
    delivery: &Delivery,
    from: &Mailbox,
    job: &Job<Email>,
) -> Result<String, JobError> {
    let id = job.id().as_str();
    let message = compose(from, job.data(), id)
        .map_err(|error| JobError::unrecoverable(with_causes(&error)))?;
    let delivered = delivery.deliver(id, message).await;
    delivered.map_err(|error: NotDelivered| {
        let text = with_causes(&error);
        if error.is_final() {
            JobError::unrecoverable(text)
        } else {
            JobError::retryable(text)
        }
    })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// The backoff of the settings: exponential from the first pause.
pub(super) fn backoff(first: Duration) -> paceline_jobs::Backoff {
    paceline_jobs::Backoff::exponential(first)
}
