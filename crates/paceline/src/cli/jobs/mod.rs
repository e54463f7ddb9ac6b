//! `paceline jobs`: queues from the command line, beside a running server or without one.

mod add;
mod doctor;
mod failure;
mod look;
mod one;
mod render;
mod schedulers;
mod set;
mod store;
mod transfer;
mod values;
mod whole;
mod work;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use paceline_jobs::{EngineHandle, RawQueue};

use super::Failure;
use crate::config::JobStoreUrl;
use store::Missing;

/// How long a store gets to close.
const CLOSING: Duration = Duration::from_secs(5);

/// See, change and work off the jobs of a store
#[derive(Debug, Args)]
#[command(after_help = "\
The store is --url (sqlite:FILE, redis://HOST, rediss://HOST, redis+sentinel://HOST,.../MASTER,
redis+cluster://HOST,...), or the [jobs] of --config, or that of ./paceline.toml. A server may be running on it. --json prints JSON. `paceline jobs VERB --help` has examples.

Examples:
  paceline jobs list --url sqlite:paceline-demo/jobs.db
  paceline jobs list emails --state failed --url redis://127.0.0.1:6379
  paceline jobs show emails 0af3c5 --url sqlite:jobs.db --json
  paceline jobs add emails send-email '{\"to\":\"ada@example.com\",\"subject\":\"Hi\",\"body\":\"\"}' --delay 5s
  paceline jobs retry emails --all
  paceline jobs pause emails
  paceline jobs work emails --http https://example.com/hooks/emails
  paceline jobs move emails --from sqlite:jobs.db --to redis://127.0.0.1:6379

Exit codes: 0 done, 1 it could not be done, 2 the command line or the configuration is wrong.")]
pub(super) struct Jobs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Args)]
struct Shared {
    /// The job store: sqlite:FILE, or a Redis server such as `redis://127.0.0.1:6379`
    #[arg(
        long,
        global = true,
        conflicts_with = "config",
        help_heading = "Store and output"
    )]
    url: Option<JobStoreUrl>,
    /// The configuration whose [jobs] names the store
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help_heading = "Store and output"
    )]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true, help_heading = "Store and output")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List queues, or the jobs of one queue
    #[command(
        after_help = "Examples:\n  paceline jobs list\n  paceline jobs list emails\n  paceline jobs list emails --state failed --limit 100 --json"
    )]
    List(look::List),
    /// Show a job with its payload, attempts, children and log
    #[command(
        after_help = "Examples:\n  paceline jobs show emails 0af3c5\n  paceline jobs show emails 0af3c5 --json"
    )]
    Show(one::One),
    /// Print the log of a job
    #[command(
        after_help = "Examples:\n  paceline jobs logs emails 0af3c5\n  paceline jobs logs emails 0af3c5 --offset 1000"
    )]
    Logs(look::Logs),
    /// Find jobs by text, name and state, newest first
    #[command(
        after_help = "Examples:\n  paceline jobs search emails --text ada@example.com\n  paceline jobs search emails --name welcome --state failed --state delayed"
    )]
    Search(look::Find),
    /// Add a job
    Add(add::Add),
    /// Make a failed job start over, or all of a queue
    #[command(
        after_help = "Examples:\n  paceline jobs retry emails 0af3c5\n  paceline jobs retry emails --all"
    )]
    Retry(one::OneOrAll),
    /// Make a delayed job ready now, or all of a queue
    #[command(
        after_help = "Examples:\n  paceline jobs promote emails 0af3c5\n  paceline jobs promote emails --all"
    )]
    Promote(one::OneOrAll),
    /// Remove a job that is not active
    #[command(after_help = "Example:\n  paceline jobs remove emails 0af3c5")]
    Remove(one::One),
    /// Ask the worker of an active job to give it up; the job fails for good
    #[command(after_help = "Example:\n  paceline jobs cancel emails 0af3c5")]
    Cancel(one::One),
    /// Keep workers from taking jobs of a queue
    #[command(after_help = "Example:\n  paceline jobs pause emails")]
    Pause(whole::Whole),
    /// Let workers take jobs of a queue again
    #[command(after_help = "Example:\n  paceline jobs resume emails")]
    Resume(whole::Whole),
    /// Delete the waiting jobs of a queue
    #[command(
        after_help = "Examples:\n  paceline jobs drain emails\n  paceline jobs drain emails --delayed --yes"
    )]
    Drain(whole::Drain),
    /// Delete old jobs of one state
    #[command(
        after_help = "Examples:\n  paceline jobs clean emails --state completed --older-than 1h\n  paceline jobs clean emails --state failed --older-than 7d --yes"
    )]
    Clean(whole::Clean),
    /// Delete a paused queue and everything in it
    #[command(
        after_help = "Examples:\n  paceline jobs obliterate emails\n  paceline jobs obliterate emails --force --yes"
    )]
    Obliterate(whole::Obliterate),
    /// Set or show the bounds of a queue: concurrency and rate, of the queue and of each group
    Set(set::Set),
    /// List, set and remove schedulers: jobs made again and again
    Schedulers(schedulers::Schedulers),
    /// Move a queue to another store while producers keep adding
    Move(transfer::Move),
    /// Deliver the jobs of a queue to a URL: a worker process without the API
    Work(work::Work),
    /// Check a store and its server: what is set wrongly, what can be lost
    Doctor(doctor::Doctor),
}

impl Jobs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Shared { url, config, json } = self.shared;
        let verb = match self.verb {
            Verb::Move(verb) => return verb.run(json),
            Verb::Doctor(verb) => return verb.run(json),
            verb => verb,
        };
        let missing = match verb {
            Verb::Add(_) => Missing::Created,
            Verb::Set(ref set) if set.changes() => Missing::Created,
            Verb::Schedulers(ref schedulers) if schedulers.adds() => Missing::Created,
            _ => Missing::Refused,
        };
        let url = store::url(url, config.as_deref())?;
        if matches!(verb, Verb::Work(_)) && super::lambda_place()?.is_some() {
            store::check_on_lambda(&url)?;
        }
        let engine = store::open(&url, missing)?;
        let done = block_on(async {
            let done = perform(&engine, verb, json).await;
            engine.stop(CLOSING).await;
            done
        })?;
        print!("{}", done?);
        Ok(())
    }
}

/// Runs `work` on a runtime of its own.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::run(&error))?;
    Ok(runtime.block_on(work))
}

async fn perform(engine: &EngineHandle, verb: Verb, json: bool) -> Result<String, Failure> {
    match verb {
        Verb::List(list) => list.perform(engine, json).await,
        Verb::Show(one) => look::show(&one, engine, json).await,
        Verb::Logs(logs) => logs.perform(engine, json).await,
        Verb::Search(find) => find.perform(engine, json).await,
        Verb::Add(add) => add.perform(engine, json).await,
        Verb::Retry(which) => one::retry(&which, engine, json).await,
        Verb::Promote(which) => one::promote(&which, engine, json).await,
        Verb::Remove(one) => one::remove(&one, engine, json).await,
        Verb::Cancel(one) => one::cancel(&one, engine, json).await,
        Verb::Pause(queue) => whole::set_paused(&queue, true, engine, json).await,
        Verb::Resume(queue) => whole::set_paused(&queue, false, engine, json).await,
        Verb::Drain(drain) => drain.perform(engine, json).await,
        Verb::Clean(clean) => clean.perform(engine, json).await,
        Verb::Obliterate(all) => all.perform(engine, json).await,
        Verb::Set(set) => set.perform(engine, json).await,
        Verb::Schedulers(schedulers) => schedulers.perform(engine, json).await,
        Verb::Work(work) => work.perform(engine, json).await,
        Verb::Move(_) | Verb::Doctor(_) => unreachable!("they open their stores themselves"),
    }
}

fn raw_queue(engine: &EngineHandle, name: &str) -> Result<RawQueue, Failure> {
    engine
        .queue(name)
        .map_err(|error| Failure::Usage(format!("{error}: {name:?}")))
}
