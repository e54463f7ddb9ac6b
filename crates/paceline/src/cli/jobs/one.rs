//! Verbs on one job, or on all of a state.

use clap::Args;
use paceline_jobs::{EngineHandle, JobId, ManageError, RawQueue};
use serde_json::json;

use super::{failure, raw_queue, render};
use crate::cli::Failure;

#[derive(Debug, Args)]
pub(super) struct One {
    /// The queue
    queue: String,
    /// The job's id
    id: String,
}

#[derive(Debug, Args)]
pub(super) struct OneOrAll {
    /// The queue
    queue: String,
    /// The job's id
    #[arg(required_unless_present = "all")]
    id: Option<String>,
    /// All of the queue instead of one
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

impl One {
    pub(super) fn resolve(&self, engine: &EngineHandle) -> Result<(RawQueue, JobId), Failure> {
        Ok((raw_queue(engine, &self.queue)?, JobId::lookup(&self.id)))
    }

    pub(super) fn missing(&self) -> Failure {
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
            other => failure::manage(other),
        }
    }

    fn done(&self, json: bool, action: &str, sentence: &str) -> String {
        if json {
            render::json(&json!({"queue": self.queue, "id": self.id, "action": action}))
        } else {
            format!("{} {sentence}\n", self.id)
        }
    }
}

impl OneOrAll {
    fn one(&self) -> Option<One> {
        let id = self.id.clone()?;
        let queue = self.queue.clone();
        Some(One { queue, id })
    }

    fn all_done(&self, json: bool, action: &str, done: u64, sentence: &str) -> String {
        if json {
            render::json(&json!({"queue": self.queue, "action": action, "jobs": done}))
        } else {
            format!("{}: {done} jobs {sentence}\n", self.queue)
        }
    }
}

pub(super) async fn retry(
    which: &OneOrAll,
    engine: &EngineHandle,
    json: bool,
) -> Result<String, Failure> {
    let Some(one) = which.one() else {
        let done = raw_queue(engine, &which.queue)?.retry_all().await;
        let done = done.map_err(|error| failure::manage(&error))?;
        return Ok(which.all_done(json, "retry", done, "start over."));
    };
    let (queue, id) = one.resolve(engine)?;
    let done = queue.retry(&id).await;
    done.map_err(|error| one.refused(&error, "retried"))?;
    Ok(one.done(json, "retry", "starts over."))
}

pub(super) async fn promote(
    which: &OneOrAll,
    engine: &EngineHandle,
    json: bool,
) -> Result<String, Failure> {
    let Some(one) = which.one() else {
        let done = raw_queue(engine, &which.queue)?.promote_all().await;
        let done = done.map_err(|error| failure::manage(&error))?;
        return Ok(which.all_done(json, "promote", done, "are ready now."));
    };
    let (queue, id) = one.resolve(engine)?;
    let done = queue.promote(&id).await;
    done.map_err(|error| one.refused(&error, "promoted"))?;
    Ok(one.done(json, "promote", "is ready now."))
}

pub(super) async fn remove(
    one: &One,
    engine: &EngineHandle,
    json: bool,
) -> Result<String, Failure> {
    let (queue, id) = one.resolve(engine)?;
    let done = queue.remove(&id).await;
    done.map_err(|error| one.refused(&error, "removed"))?;
    Ok(one.done(json, "remove", "is removed."))
}

pub(super) async fn cancel(
    one: &One,
    engine: &EngineHandle,
    json: bool,
) -> Result<String, Failure> {
    let (queue, id) = one.resolve(engine)?;
    let done = queue.cancel(&id).await;
    done.map_err(|error| one.refused(&error, "cancelled"))?;
    Ok(one.done(
        json,
        "cancel",
        "is asked to be given up; it fails once its worker has heard.",
    ))
}
