//! `paceline jobs work`: a worker process without the API.

mod on_lambda;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use paceline_jobs::{EngineHandle, RawQueue, Shutdown, StopDetails};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{failure, raw_queue, render};
use crate::cli::Failure;
use crate::config::{SigningSecret, WebhookUrl};
use crate::processor::http::{self, Reach, Tally};

/// How often a queue that is to be worked off is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
#[command(after_help = "\
Each job is one POST of {\"type\": its name, \"timestamp\": when it was added, \"data\": its payload}
with the headers webhook-id (the job's id), webhook-timestamp and, with a secret,
webhook-signature (Standard Webhooks). What the answer means:
  2xx                          done
  429 or 503 with Retry-After  taken up again then; uses no attempt, 100 times at most
  410                          failed for good
  anything else, or none       a failed attempt; redirects are not followed

On AWS Lambda each event of a schedule is a round that ends in time: docs/lambda.md.

SIGTERM or Ctrl-C: no new jobs, those under way get --grace to end, the rest is given back.
A second one ends at once.

Examples:
  paceline jobs work emails --http https://example.com/hooks --secret-env HOOK_SECRET
  paceline jobs work emails --url sqlite:jobs.db --http http://127.0.0.1:3000/jobs --concurrency 16
  paceline jobs work nightly --http https://example.com/nightly --until-empty --max-time 1h")]
pub(super) struct Work {
    /// The queue
    queue: String,
    /// Where its jobs are delivered
    #[arg(long, value_name = "TARGET")]
    http: WebhookUrl,
    /// Deliveries at the same time
    #[arg(long, value_name = "N", default_value = "4", value_parser = concurrency)]
    concurrency: NonZeroU32,
    /// How long one delivery may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = super::values::longer_than_nothing)]
    timeout: Duration,
    /// The environment variable with the secret that signs deliveries: whsec_...
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    /// Allow a target whose name resolves to a private address (an address written in TARGET may be private)
    #[arg(long)]
    allow_private: bool,
    /// End when nothing is waiting, delayed or active any more
    #[arg(long)]
    until_empty: bool,
    /// End after this time
    #[arg(long, value_name = "TIME", value_parser = super::values::longer_than_nothing)]
    max_time: Option<Duration>,
    /// How long jobs under way get to end when the worker stops
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::config::duration)]
    grace: Duration,
}

fn concurrency(text: &str) -> Result<NonZeroU32, String> {
    let number: Option<NonZeroU32> = text.parse().ok();
    let number = number.filter(|number| number.get() <= 1024);
    number.ok_or_else(|| "expected a number from 1 to 1024".to_owned())
}

/// Why the worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Asked,
    Empty,
    TimeIsUp,
}

impl Work {
    /// Works until it is told to stop, on a runtime of its own.
    pub(super) async fn perform(
        self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        if let Some(place) = crate::cli::lambda_place()? {
            return self.on_lambda(engine, &place).await;
        }
        let queue = raw_queue(engine, &self.queue)?;
        let settings = self.settings()?;
        let stop = crate::signals::stop_on_signal().map_err(|error| Failure::run(&error))?;
        let tally = Arc::new(Tally::default());
        let worker = http::start(queue.clone(), &settings, Arc::clone(&tally))
            .map_err(|error| Failure::run(&error))?;
        tracing::info!(
            queue = self.queue, target = %self.http, concurrency = self.concurrency,
            signed = settings.secret.is_some(), "working"
        );
        let ended = self.wait_for_end(&queue, &stop, self.max_time).await;
        let stopped = worker.stop(self.grace).await;
        let end = ended?;
        let printed = self.summary(end, &tally, stopped, json);
        if self.until_empty && end == End::TimeIsUp && !is_empty(&queue).await? {
            print!("{printed}");
            let text = "the time is up and jobs are left: run it again, or give --max-time more";
            return Err(Failure::Run(text.to_owned()));
        }
        Ok(printed)
    }

    fn settings(&self) -> Result<http::Settings, Failure> {
        // Whoever types a private address means it; a name that resolves to one is another matter.
        let reach = if self.allow_private || self.http.is_private() {
            Reach::Any
        } else {
            Reach::Public
        };
        Ok(http::Settings {
            target: self.http.uri().clone(),
            reach,
            timeout: self.timeout,
            secret: self.secret()?,
            concurrency: self.concurrency,
        })
    }

    fn secret(&self) -> Result<Option<SigningSecret>, Failure> {
        let Some(name) = &self.secret_env else {
            return Ok(None);
        };
        let text = std::env::var(name).map_err(|_| {
            Failure::Usage(format!(
                "--secret-env: the environment variable {name} is not set"
            ))
        })?;
        let secret = text.trim().parse();
        secret
            .map(Some)
            .map_err(|error| Failure::Usage(format!("--secret-env {name}: {error}")))
    }

    async fn wait_for_end(
        &self,
        queue: &RawQueue,
        stop: &CancellationToken,
        longest: Option<Duration>,
    ) -> Result<End, Failure> {
        let time_is_up = async {
            match longest {
                Some(longest) => tokio::time::sleep(longest).await,
                None => std::future::pending().await,
            }
        };
        let emptied = async {
            if !self.until_empty {
                return std::future::pending().await;
            }
            while !is_empty(queue).await? {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(End::Empty)
        };
        tokio::select! {
            () = stop.cancelled() => Ok(End::Asked),
            () = time_is_up => Ok(End::TimeIsUp),
            ended = emptied => ended,
        }
    }

    fn summary(&self, end: End, tally: &Tally, stopped: StopDetails, json: bool) -> String {
        let (delivered, failed) = (tally.delivered(), tally.not_delivered());
        let (postponed, given_back) = (tally.postponed(), stopped.handed_back);
        let why = match end {
            End::Asked => "asked to stop",
            End::Empty => "the queue is empty",
            End::TimeIsUp => "the time is up",
        };
        if json {
            return render::json(&json!({
                "queue": self.queue,
                "end": why,
                "delivered": delivered,
                "postponed": postponed,
                "failed_attempts": failed,
                "handed_back": given_back,
                "abandoned": stopped.abandoned,
            }));
        }
        format!(
            "{}: {why}. {delivered} delivered, {postponed} postponed, {failed} failed attempts, {given_back} given back.\n",
            self.queue
        )
    }
}

/// Whether nothing waits and nothing is active.
async fn is_empty(queue: &RawQueue) -> Result<bool, Failure> {
    let info = queue
        .info()
        .await
        .map_err(|error| failure::engine(&error))?;
    let Some(info) = info else { return Ok(true) };
    let counts = info.counts;
    // A job that waits for children of other queues may wait for ever.
    let left = counts.not_started() - counts.waiting_children + counts.active;
    if left > 0 && info.paused {
        let text = format!(
            "{} is paused, so it does not get empty: paceline jobs resume {}",
            info.name, info.name
        );
        return Err(Failure::Run(text));
    }
    Ok(left == 0)
}
