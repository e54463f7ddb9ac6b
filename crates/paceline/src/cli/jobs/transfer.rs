//! `paceline jobs move`: a queue from one store to another.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use paceline_jobs::{QueueName, Transfer, TransferError, TransferReport};

use super::store::{self, Missing};
use super::{failure, render};
use crate::cli::Failure;
use crate::config::JobStoreUrl;

#[derive(Debug, Args)]
#[command(after_help = "\
The source is paused and stays so: no worker takes jobs from it any more, and what producers still add
there goes over too, until the source has been empty for --settle. Ids, payloads, attempts, delays,
priorities and options are kept. Workers of the target may run. A move that was interrupted, in whatever
way, is finished by running it again; nothing is lost and nothing runs twice.

Completed jobs and the jobs of flows are not moved.

Examples:
  paceline jobs move emails --from sqlite:jobs.db --to redis://127.0.0.1:6379
  paceline jobs move emails --from redis://127.0.0.1:6379 --to sqlite:jobs.db --failed --schedulers --once")]
pub(super) struct Move {
    /// The queue
    queue: String,
    /// The store that has the jobs
    #[arg(long, value_name = "URL")]
    from: JobStoreUrl,
    /// The store that gets them
    #[arg(long, value_name = "URL")]
    to: JobStoreUrl,
    /// Failed jobs too; they stay failed
    #[arg(long)]
    failed: bool,
    /// The queue's schedulers too
    #[arg(long)]
    schedulers: bool,
    /// End as soon as the source is empty once
    #[arg(long)]
    once: bool,
    /// Leave the target paused if it is, also when the source is paused too (which is what an interrupted
    /// move leaves)
    #[arg(long)]
    keep_paused: bool,
    /// How long the source has to stay empty
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = crate::config::duration, conflicts_with = "once")]
    settle: Duration,
    /// How long active jobs of the source are waited for
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = crate::config::duration)]
    wait: Duration,
    /// Leave active jobs behind
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

impl Move {
    pub(super) fn run(self, json: bool) -> Result<(), Failure> {
        if same(&self.from, &self.to) {
            let text = "--from and --to are the same store".to_owned();
            return Err(Failure::Usage(text));
        }
        let queue = QueueName::new(&self.queue)
            .map_err(|error| Failure::Usage(format!("{error}: {:?}", self.queue)))?;
        let from = store::open(&self.from, Missing::Refused)?;
        let to = store::open(&self.to, Missing::Created)?;
        let mut transfer = Transfer::new(&from, &to, queue)
            .settle(self.settle)
            .wait_for_active(if self.no_wait {
                Duration::ZERO
            } else {
                self.wait
            });
        if self.failed {
            transfer = transfer.failed();
        }
        if self.schedulers {
            transfer = transfer.schedulers();
        }
        if self.keep_paused {
            transfer = transfer.keep_paused();
        }
        if self.once {
            transfer = transfer.once();
        }
        let done = super::block_on(async {
            let done = transfer.run().await;
            from.stop(super::CLOSING).await;
            to.stop(super::CLOSING).await;
            done
        })?;
        let report = done.map_err(|error| self.stopped(&error))?;
        if json {
            print!("{}", render::json(&report));
        } else {
            print!("{}", self.tell(&report));
        }
        if report.left.total() > 0 {
            let text = format!("{} jobs stay in the source", report.left.total());
            return Err(Failure::Run(text));
        }
        Ok(())
    }

    fn stopped(&self, error: &TransferError) -> Failure {
        let failure = match error {
            TransferError::Source(inner) | TransferError::Target(inner) => {
                let inner = failure::engine(inner);
                Failure::Run(format!("{error}: {inner}"))
            }
            other => Failure::run(other),
        };
        let Failure::Run(text) = failure else {
            return failure;
        };
        let queue = &self.queue;
        Failure::Run(format!(
            "{text}\n{queue} is paused in {}. Run the same command again: it goes on where it ended.",
            self.from
        ))
    }

    fn tell(&self, report: &TransferReport) -> String {
        let Self {
            queue, from, to, ..
        } = self;
        let mut lines = vec![format!(
            "Moved {} jobs of {queue} from {from} to {to}.",
            report.moved
        )];
        let mut count = |jobs: u64, what: &str| {
            if jobs > 0 {
                lines.push(format!("  {jobs} {what}"));
            }
        };
        count(report.failed, "of them had failed and stay failed");
        count(
            report.resent,
            "of them were there already, from a move that was interrupted",
        );
        count(report.schedulers, "schedulers went over");
        let left = &report.left;
        count(
            left.active,
            "jobs are active in the source: run the move again when they have ended",
        );
        count(
            left.flows,
            "jobs of flows stay in the source: their relations belong to one store",
        );
        count(
            left.scheduled,
            "jobs of schedulers stay in the source: --schedulers moves those",
        );
        count(
            left.taken,
            "jobs stay in the source: other jobs of the target have their ids",
        );
        count(
            left.started,
            "jobs were taken by a worker of the source, which somebody resumed: they may run twice",
        );
        lines.push(format!("{queue} stays paused in {from}."));
        if report.target_paused {
            lines.push(format!(
                "{queue} was paused in {to} before and stays so: paceline jobs resume {queue} --url {to}"
            ));
        }
        lines.join("\n") + "\n"
    }
}

/// Whether both are one store, as far as their addresses tell.
fn same(from: &JobStoreUrl, to: &JobStoreUrl) -> bool {
    let file = |url: &JobStoreUrl| match url {
        JobStoreUrl::Sqlite(path) => Path::new(path).canonicalize().ok(),
        JobStoreUrl::Redis(_) => None,
    };
    from == to || file(from).is_some_and(|path| Some(path) == file(to))
}
