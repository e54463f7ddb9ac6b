//! Verbs on a whole queue.

use std::time::Duration;

use clap::Args;
use paceline_jobs::{EngineHandle, State};
use serde_json::json;

use super::{failure, raw_queue, render, values};
use crate::cli::Failure;
use crate::cli::confirm::{Consent, confirm};

#[derive(Debug, Args)]
pub(super) struct Whole {
    /// The queue
    queue: String,
}

#[derive(Debug, Args)]
pub(super) struct Drain {
    /// The queue
    queue: String,
    /// Delayed jobs too
    #[arg(long)]
    delayed: bool,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, Args)]
pub(super) struct Clean {
    /// The queue
    queue: String,
    /// Which jobs: completed, failed, delayed, waiting, prioritized, waiting-children
    #[arg(long, value_parser = values::state)]
    state: State,
    /// Only those that got there (finished ones) or were added (others) at least so long ago
    #[arg(long, value_name = "AGE", value_parser = crate::config::duration)]
    older_than: Duration,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, Args)]
pub(super) struct Obliterate {
    /// The queue; it has to be paused
    queue: String,
    /// Although jobs are active: their workers lose them
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    consent: Consent,
}

fn done(json: bool, queue: &str, action: &str, jobs: u64, sentence: &str) -> String {
    if json {
        render::json(&json!({"queue": queue, "action": action, "jobs": jobs}))
    } else {
        format!("{queue}: {sentence}\n")
    }
}

pub(super) async fn set_paused(
    Whole { queue }: &Whole,
    paused: bool,
    engine: &EngineHandle,
    json: bool,
) -> Result<String, Failure> {
    let handle = raw_queue(engine, queue)?;
    let set = if paused {
        handle.pause().await
    } else {
        handle.resume().await
    };
    set.map_err(|error| failure::engine(&error))?;
    Ok(match (json, paused) {
        (true, _) => render::json(&json!({"queue": queue, "paused": paused})),
        (false, true) => {
            format!("{queue} is paused: no worker takes jobs from it until it is resumed.\n")
        }
        (false, false) => format!("{queue} is resumed.\n"),
    })
}

impl Drain {
    pub(super) async fn perform(
        &self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let Self { queue, delayed, .. } = self;
        let handle = raw_queue(engine, queue)?;
        let which = if *delayed { "and delayed " } else { "" };
        confirm(
            self.consent,
            &format!(
                "Delete the waiting {which}jobs of {queue}? (To work them off instead: paceline jobs work {queue} --until-empty)"
            ),
        )?;
        let jobs = handle.drain(*delayed).await;
        let jobs = jobs.map_err(|error| failure::manage(&error))?;
        let sentence = format!("{jobs} jobs are deleted.");
        Ok(done(json, queue, "drain", jobs, &sentence))
    }
}

impl Clean {
    pub(super) async fn perform(
        &self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let Self {
            queue,
            state,
            older_than,
            consent,
        } = self;
        if *state == State::Active {
            let text = "active jobs cannot be cleaned: cancel them, or let their workers end them";
            return Err(Failure::Usage(text.to_owned()));
        }
        let handle = raw_queue(engine, queue)?;
        confirm(
            *consent,
            &format!(
                "Delete the {state} jobs of {queue} older than {}?",
                render::duration(*older_than)
            ),
        )?;
        let jobs = handle.clean(*state, *older_than).await;
        let jobs = jobs.map_err(|error| failure::manage(&error))?;
        let sentence = format!("{jobs} {state} jobs are deleted.");
        Ok(done(json, queue, "clean", jobs, &sentence))
    }
}

impl Obliterate {
    pub(super) async fn perform(
        &self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let Self {
            queue,
            force,
            consent,
        } = self;
        let handle = raw_queue(engine, queue)?;
        confirm(*consent, &format!("Delete {queue} and every job in it?"))?;
        let jobs = handle.obliterate(*force).await;
        let jobs = jobs.map_err(|error| failure::manage(&error))?;
        let sentence = format!("the queue and its {jobs} jobs are deleted.");
        Ok(done(json, queue, "obliterate", jobs, &sentence))
    }
}
