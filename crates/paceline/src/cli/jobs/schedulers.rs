//! `paceline jobs schedulers`: jobs made again and again.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use paceline_jobs::{
    CatchUp, EngineHandle, JobOptions, Schedule, Scheduler, SchedulerId, Timestamp,
};
use serde_json::json;

use super::add::{Run, payload};
use super::{failure, raw_queue, render, values};
use crate::cli::Failure;

#[derive(Debug, Args)]
pub(super) struct Schedulers {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the schedulers of a queue with their next slot
    List(Queue),
    /// Store a scheduler, in place of the one with its id
    Set(Set),
    /// Remove a scheduler, and its job that did not start yet
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Queue {
    /// The queue
    queue: String,
}

#[derive(Debug, Args)]
struct Remove {
    /// The queue
    queue: String,
    /// The scheduler's id
    id: String,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("schedule").required(true).args(["cron", "every"])))]
#[command(after_help = "\
Each slot has one job at most, whoever runs. Setting a scheduler again keeps the count of its jobs.

Examples:
  paceline jobs schedulers set reports nightly build-report '{\"of\":\"yesterday\"}' --cron '0 3 * * *' --tz Europe/Berlin
  paceline jobs schedulers set health ping ping '{}' --every 5m --now
  paceline jobs schedulers set bills monthly bill '{}' --cron '0 0 1 * *' --catch-up all --attempts 5 --backoff exponential:1m")]
struct Set {
    /// The queue
    queue: String,
    /// The scheduler's id
    id: String,
    /// The name of its jobs
    name: String,
    /// Their payload
    #[arg(value_name = "JSON")]
    payload: String,
    /// At the times of a cron pattern: minute hour day month weekday, or six fields with seconds first
    #[arg(long, value_name = "PATTERN")]
    cron: Option<String>,
    /// The time zone of the pattern
    #[arg(
        long,
        value_name = "ZONE",
        default_value = "UTC",
        conflicts_with = "every"
    )]
    tz: String,
    /// At equal distances: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = values::longer_than_nothing)]
    every: Option<Duration>,
    /// Slots lie this long after each whole distance since 1970; without it they follow the first job
    #[arg(long, value_name = "TIME", value_parser = crate::config::duration, requires = "every")]
    offset: Option<Duration>,
    /// No slot before this time, such as 2026-12-01T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    start: Option<Timestamp>,
    /// No slot after this time
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    end: Option<Timestamp>,
    /// How many jobs are made in all
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroU64>,
    /// The first job at once
    #[arg(long)]
    now: bool,
    /// Slots missed while nothing ran: skip, one job for all of them (one), or all
    #[arg(long, default_value = "one", value_parser = values::catch_up)]
    catch_up: CatchUp,
    #[command(flatten)]
    run: Run,
}

impl Schedulers {
    pub(super) async fn perform(
        self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        match self.verb {
            Verb::List(Queue { queue }) => {
                let found = raw_queue(engine, &queue)?.schedulers().await;
                let found = found.map_err(|error| failure::engine(&error))?;
                Ok(if json {
                    render::json(&found)
                } else {
                    render::schedulers(&found)
                })
            }
            Verb::Set(set) => set.perform(engine, json).await,
            Verb::Remove(remove) => remove.perform(engine, json).await,
        }
    }
}

impl Remove {
    async fn perform(&self, engine: &EngineHandle, json: bool) -> Result<String, Failure> {
        let queue = raw_queue(engine, &self.queue)?;
        let id = SchedulerId::lookup(&self.id);
        let removed = queue.remove_scheduler(&id).await;
        if !removed.map_err(|error| failure::engine(&error))? {
            return Err(Failure::Run(format!(
                "there is no scheduler {:?} in the queue {:?}: `paceline jobs schedulers list {}` shows what there is",
                self.id, self.queue, self.queue
            )));
        }
        Ok(if json {
            render::json(&json!({"queue": self.queue, "id": self.id, "action": "remove"}))
        } else {
            format!("{id} is removed: it makes no more jobs.\n")
        })
    }
}

impl Set {
    async fn perform(self, engine: &EngineHandle, json: bool) -> Result<String, Failure> {
        let queue = raw_queue(engine, &self.queue)?;
        let id = SchedulerId::new(&self.id).map_err(|error| Failure::Usage(error.to_string()))?;
        let schedule = match (self.cron, self.every) {
            (Some(pattern), _) => Schedule::Cron {
                pattern,
                zone: self.tz,
            },
            (None, every) => Schedule::Every {
                every: every.expect("the command line asks for one of both"),
                offset: self.offset,
            },
        };
        let scheduler = Scheduler {
            id,
            schedule,
            start: self.start,
            end: self.end,
            limit: self.limit,
            immediately: self.now,
            catch_up: self.catch_up,
            name: self.name,
            data: payload(&self.payload)?,
            options: self.run.over(JobOptions::new()),
        };
        let stored = queue.upsert_scheduler(scheduler).await;
        let stored = stored.map_err(|error| failure::add(&error))?;
        Ok(if json {
            render::json(&stored)
        } else {
            match stored.next {
                Some(next) => format!(
                    "{} makes its next job at {}.\n",
                    stored.id,
                    render::time(next)
                ),
                None => format!("{} is stored and makes no more jobs.\n", stored.id),
            }
        })
    }
}
