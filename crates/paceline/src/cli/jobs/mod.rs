//! `paceline jobs`: queues from the command line, beside a running server or without one.

mod add;
mod render;
mod store;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use paceline_jobs::{EngineHandle, JobId, ManageError, Page, RawQueue, State};

use super::Failure;
use add::Add;

/// See and change the jobs of a store
#[derive(Debug, Args)]
#[command(after_help = "\
The store is --url, or the [jobs] of --config, or that of ./paceline.toml. A server may be running on it.

Examples:
  paceline jobs list --url sqlite:paceline-demo/jobs.db
  paceline jobs list emails --state failed --url sqlite:jobs.db
  paceline jobs show emails 0af3c5 --url sqlite:jobs.db --json
  paceline jobs add emails send-email '{\"to\":\"ada@example.com\",\"subject\":\"Hi\",\"body\":\"\"}' --delay 5s
  paceline jobs retry emails 0af3c5
  paceline jobs pause emails")]
pub(super) struct Jobs {
    #[command(subcommand)]
    verb: Verb,
    /// The job store, such as sqlite:jobs.db
    #[arg(long, global = true, conflicts_with = "config")]
    url: Option<String>,
    /// The configuration whose [jobs] names the store
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List queues, or the jobs of one queue
    List(List),
    /// Show a job with its payload and attempts
    Show(One),
    /// Add a job
    Add(Add),
    /// Make a failed job start over
    Retry(One),
    /// Remove a job that is not active
    Remove(One),
    /// Keep workers from taking jobs of a queue
    Pause(Whole),
    /// Let workers take jobs of a queue again
    Resume(Whole),
}

#[derive(Debug, Args)]
struct List {
    /// The queue; without it all queues are listed
    queue: Option<String>,
    /// Only jobs in this state: waiting, prioritized, delayed, active, completed, failed
    #[arg(long, value_parser = state, requires = "queue")]
    state: Option<State>,
    /// How many jobs of each state
    #[arg(long, default_value_t = 20, requires = "queue", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// How many to skip
    #[arg(long, default_value_t = 0, requires = "queue")]
    offset: u64,
}

#[derive(Debug, Args)]
struct One {
    /// The queue
    queue: String,
    /// The job's id
    id: String,
}

#[derive(Debug, Args)]
struct Whole {
    /// The queue
    queue: String,
}

fn state(text: &str) -> Result<State, String> {
    State::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

impl Jobs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let may_create = matches!(self.verb, Verb::Add(_));
        let path = store::path(self.url.as_deref(), self.config.as_deref())?;
        let engine = store::open(&path, may_create)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::run(&error))?;
        runtime.block_on(async {
            let done = perform(&engine, self.verb, self.json).await;
            engine.stop(std::time::Duration::from_secs(5)).await;
            print!("{}", done?);
            Ok(())
        })
    }
}

async fn perform(engine: &EngineHandle, verb: Verb, json: bool) -> Result<String, Failure> {
    match verb {
        Verb::List(List { queue: None, .. }) => {
            let queues = engine
                .queues()
                .await
                .map_err(|error| Failure::run(&error))?;
            Ok(if json {
                render::json(&queues)
            } else {
                render::queues(&queues)
            })
        }
        Verb::List(list) => list_jobs(engine, &list, json).await,
        Verb::Show(one) => {
            let (queue, id) = one.resolve(engine)?;
            let job = queue.get(&id).await.map_err(|error| Failure::run(&error))?;
            let job = job.ok_or_else(|| one.missing())?;
            Ok(if json {
                render::json(&job)
            } else {
                render::job(&job)
            })
        }
        Verb::Add(add) => add.perform(engine, json).await,
        Verb::Retry(one) => {
            let (queue, id) = one.resolve(engine)?;
            queue
                .retry(&id)
                .await
                .map_err(|error| one.refused(&error, "retried"))?;
            Ok(format!("{id} starts over.\n"))
        }
        Verb::Remove(one) => {
            let (queue, id) = one.resolve(engine)?;
            queue
                .remove(&id)
                .await
                .map_err(|error| one.refused(&error, "removed"))?;
            Ok(format!("{id} is removed.\n"))
        }
        Verb::Pause(Whole { queue }) => {
            raw_queue(engine, &queue)?
                .pause()
                .await
                .map_err(|error| Failure::run(&error))?;
            Ok(format!(
                "{queue} is paused: no worker takes jobs from it until it is resumed.\n"
            ))
        }
        Verb::Resume(Whole { queue }) => {
            raw_queue(engine, &queue)?
                .resume()
                .await
                .map_err(|error| Failure::run(&error))?;
            Ok(format!("{queue} is resumed.\n"))
        }
    }
}

async fn list_jobs(engine: &EngineHandle, list: &List, json: bool) -> Result<String, Failure> {
    let queue = raw_queue(engine, list.queue.as_deref().unwrap_or_default())?;
    let page = Page {
        offset: list.offset,
        limit: usize::from(list.limit),
    };
    let states = list.state.map_or(State::ALL.to_vec(), |state| vec![state]);
    let mut jobs = Vec::new();
    for state in states {
        let found = queue
            .list(state, page)
            .await
            .map_err(|error| Failure::run(&error))?;
        jobs.extend(found.jobs);
    }
    Ok(if json {
        render::json(&jobs)
    } else {
        render::jobs(&jobs)
    })
}

fn raw_queue(engine: &EngineHandle, name: &str) -> Result<RawQueue, Failure> {
    engine
        .queue(name)
        .map_err(|error| Failure::Usage(format!("{error}: {name:?}")))
}

impl One {
    fn resolve(&self, engine: &EngineHandle) -> Result<(RawQueue, JobId), Failure> {
        Ok((raw_queue(engine, &self.queue)?, JobId::lookup(&self.id)))
    }

    fn missing(&self) -> Failure {
        Failure::Run(format!(
            "there is no job {:?} in the queue {:?}: `paceline jobs list {}` shows what there is",
            self.id, self.queue, self.queue
        ))
    }

    fn refused(&self, error: &ManageError, done: &str) -> Failure {
        match error {
            ManageError::NotFound => self.missing(),
            ManageError::WrongState(state) => Failure::Run(format!(
                "the job {} is {state} and cannot be {done}",
                self.id
            )),
            other => Failure::run(other),
        }
    }
}
