//! `paceline jobs add`.

use std::time::Duration;

use clap::Args;
use paceline_jobs::{EngineHandle, JobOptions};
use serde_json::value::RawValue;

use super::{raw_queue, render};
use crate::cli::Failure;

/// Add a job
#[derive(Debug, Args)]
pub(super) struct Add {
    /// The queue
    queue: String,
    /// The job's name, the kind of work
    name: String,
    /// The payload
    #[arg(value_name = "JSON")]
    payload: String,
    /// Not before this much time has passed: 500ms, 5s, 15m, 2h
    #[arg(long, value_parser = crate::config::duration)]
    delay: Option<Duration>,
    /// 0 is none; else lower numbers are served first
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(paceline_jobs::MAX_PRIORITY)))]
    priority: u32,
    /// How often it is tried
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
    /// An id of your own; a job that has it already is returned instead
    #[arg(long)]
    id: Option<String>,
}

impl Add {
    pub(super) async fn perform(
        self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let payload: Box<RawValue> = serde_json::from_str(&self.payload).map_err(|error| {
            Failure::Usage(format!(
                "the payload is not JSON: {error}. Put it into single quotes."
            ))
        })?;
        let queue = raw_queue(engine, &self.queue)?;
        let mut options = JobOptions::new()
            .priority(self.priority)
            .attempts(self.attempts);
        if let Some(delay) = self.delay {
            options = options.delay(delay);
        }
        if let Some(id) = &self.id {
            options = options
                .id(id)
                .map_err(|error| Failure::Usage(format!("--id: {error}")))?;
        }
        let added = queue.add_with(&self.name, &payload, options).await;
        let added = added.map_err(|error| Failure::run(&error))?;
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
