//! `paceline jobs add`.

use std::time::Duration;

use clap::Args;
use paceline_jobs::{Backoff, Deduplication, EngineHandle, GroupName, JobOptions};
use serde_json::value::RawValue;

use super::{failure, raw_queue, render, values};
use crate::cli::Failure;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  paceline jobs add emails welcome '{\"to\":\"ada@example.com\"}' --attempts 5 --backoff exponential:2s
  paceline jobs add reports weekly '{\"week\":7}' --id report-7 --delay 1h --timeout 10m
  paceline jobs add search reindex '{\"doc\":17}' --dedup doc-17 --dedup-ttl 5s
  paceline jobs add imports file '{\"name\":\"a.csv\"}' --group customer-42")]
pub(super) struct Add {
    /// The queue
    queue: String,
    /// The job's name, the kind of work
    name: String,
    /// The payload
    #[arg(value_name = "JSON")]
    payload: String,
    /// Not before this much time has passed: 500ms, 5s, 15m, 2h
    #[arg(long, value_name = "TIME", value_parser = crate::config::duration)]
    delay: Option<Duration>,
    /// An id of your own; a job that has it already is returned instead
    #[arg(long)]
    id: Option<String>,
    /// Recognise adds of the same work: while a job holds this id, it is returned instead
    #[arg(long, value_name = "ID")]
    dedup: Option<String>,
    /// How long the id is held, whether the job has ended or not; without it until the job ends
    #[arg(long, value_name = "TIME", value_parser = values::longer_than_nothing, requires = "dedup")]
    dedup_ttl: Option<Duration>,
    #[command(flatten)]
    run: Run,
}

/// How a job is run.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// 0 is none; else lower numbers are served first
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(paceline_jobs::MAX_PRIORITY)))]
    priority: u32,
    /// How often it is tried
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
    /// The wait between attempts: fixed:5s or exponential:2s
    #[arg(long, value_name = "KIND:TIME", value_parser = values::backoff)]
    backoff: Option<Backoff>,
    /// How long one attempt may take
    #[arg(long, value_name = "TIME", value_parser = values::longer_than_nothing)]
    timeout: Option<Duration>,
    /// Before those that are waiting already: last in, first out
    #[arg(long)]
    lifo: bool,
    /// The group it is served with; groups take turns
    #[arg(long, value_parser = group)]
    group: Option<GroupName>,
}

fn group(text: &str) -> Result<GroupName, String> {
    GroupName::new(text).map_err(|error| error.to_string())
}

/// A payload from the command line.
pub(super) fn payload(text: &str) -> Result<Box<RawValue>, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::Usage(format!(
            "the payload is not JSON: {error}. Put it into single quotes."
        ))
    })
}

impl Run {
    pub(super) fn over(self, mut options: JobOptions) -> JobOptions {
        options = options.priority(self.priority).attempts(self.attempts);
        if let Some(backoff) = self.backoff {
            options = options.backoff(backoff);
        }
        if let Some(timeout) = self.timeout {
            options = options.timeout(timeout);
        }
        if self.lifo {
            options = options.lifo();
        }
        if let Some(group) = self.group {
            options = options.group(group);
        }
        options
    }
}

impl Add {
    pub(super) async fn perform(
        self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let payload = payload(&self.payload)?;
        let queue = raw_queue(engine, &self.queue)?;
        let mut options = self.run.over(JobOptions::new());
        if let Some(delay) = self.delay {
            options = options.delay(delay);
        }
        let usage = |key: &str, error: paceline_jobs::InvalidName| {
            Failure::Usage(format!("{key}: {error}"))
        };
        if let Some(id) = &self.id {
            options = options.id(id).map_err(|error| usage("--id", error))?;
        }
        if let Some(id) = &self.dedup {
            let held = Deduplication::simple(id).map_err(|error| usage("--dedup", error))?;
            options = options.deduplication(match self.dedup_ttl {
                Some(ttl) => held.ttl(ttl),
                None => held,
            });
        }
        let added = queue.add_with(&self.name, &payload, options).await;
        let added = added.map_err(|error| failure::add(&error))?;
        Ok(match (json, added.existing) {
            (true, _) => render::json(&added),
            (false, false) => format!("Added {} to {}.\n", added.id, self.queue),
            (false, true) => format!(
                "{} is in {} already; nothing was added.\n",
                added.id, self.queue
            ),
        })
    }
}
