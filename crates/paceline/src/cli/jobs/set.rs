//! `paceline jobs set`: the bounds of a queue.

use std::num::NonZeroU32;

use clap::Args;
use paceline_jobs::{EngineHandle, QueueSettings, StartLimit};

use super::values::{self, Bound};
use super::{failure, raw_queue, render};
use crate::cli::Failure;

#[derive(Debug, Args)]
#[command(after_help = "\
Bounds hold over all workers and processes. What is not named stays as it is. Without any, they are shown.

Examples:
  paceline jobs set emails --concurrency 10 --rate 100/1m
  paceline jobs set reports --group-concurrency 1 --group-rate 10/1s
  paceline jobs set emails --rate none")]
pub(super) struct Set {
    /// The queue
    queue: String,
    /// Jobs active at the same time, or none for no bound
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    concurrency: Option<Bound<NonZeroU32>>,
    /// Jobs started in a window, such as 100/1m, or none
    #[arg(long, value_name = "N/TIME", value_parser = values::rate)]
    rate: Option<Bound<StartLimit>>,
    /// Jobs of one group active at the same time, or none
    #[arg(long, value_name = "N", value_parser = values::jobs)]
    group_concurrency: Option<Bound<NonZeroU32>>,
    /// Jobs of one group started in a window, or none
    #[arg(long, value_name = "N/TIME", value_parser = values::rate)]
    group_rate: Option<Bound<StartLimit>>,
}

impl Set {
    pub(super) async fn perform(
        &self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let queue = raw_queue(engine, &self.queue)?;
        let info = queue.info().await;
        let info = info.map_err(|error| failure::engine(&error))?;
        let before = info.map(|info| info.settings).unwrap_or_default();
        let settings = self.over(before);
        if settings != before {
            let set = queue.set_settings(settings).await;
            set.map_err(|error| failure::engine(&error))?;
        }
        Ok(if json {
            render::json(&settings)
        } else {
            render::settings(&self.queue, &settings)
        })
    }

    fn over(&self, mut settings: QueueSettings) -> QueueSettings {
        if let Some(Bound(jobs)) = self.concurrency {
            settings = settings.concurrency(jobs);
        }
        if let Some(Bound(limit)) = self.rate {
            settings = settings.rate(limit);
        }
        if let Some(Bound(jobs)) = self.group_concurrency {
            settings = settings.group_concurrency(jobs);
        }
        if let Some(Bound(limit)) = self.group_rate {
            settings = settings.group_rate(limit);
        }
        settings
    }
}
