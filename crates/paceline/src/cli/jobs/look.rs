//! `paceline jobs list`, `show`, `logs` and `search`.

use clap::Args;
use paceline_jobs::engine::{LogPage, Search};
use paceline_jobs::{Children, EngineError, EngineHandle, Page, State};
use serde::Serialize;

use super::one::One;
use super::{failure, raw_queue, render, values};
use crate::cli::Failure;

#[derive(Debug, Args)]
pub(super) struct List {
    /// The queue; without it all queues are listed
    queue: Option<String>,
    /// Only jobs in this state: waiting, prioritized, delayed, waiting-children, active, completed, failed
    #[arg(long, value_parser = values::state, requires = "queue")]
    state: Option<State>,
    #[command(flatten)]
    part: Part,
}

/// Which part of a listing.
#[derive(Debug, Args)]
struct Part {
    /// How many (of each state)
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// How many to skip
    #[arg(long, default_value_t = 0)]
    offset: u64,
}

impl Part {
    fn page(&self) -> Page {
        Page {
            offset: self.offset,
            limit: usize::from(self.limit),
        }
    }
}

impl List {
    pub(super) async fn perform(
        &self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let Some(queue) = &self.queue else {
            let queues = engine
                .queues()
                .await
                .map_err(|error| failure::engine(&error))?;
            return Ok(if json {
                render::json(&queues)
            } else {
                render::queues(&queues)
            });
        };
        let queue = raw_queue(engine, queue)?;
        let states = self.state.map_or(State::ALL.to_vec(), |state| vec![state]);
        let mut jobs = Vec::new();
        for state in states {
            let found = queue.list(state, self.part.page()).await;
            jobs.extend(found.map_err(|error| failure::engine(&error))?.jobs);
        }
        Ok(if json {
            render::json(&jobs)
        } else {
            render::jobs(&jobs)
        })
    }
}

/// A job with what hangs on it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    job: &'a paceline_jobs::JobSnapshot,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<&'a Children>,
    logs: &'a [String],
}

pub(super) async fn show(one: &One, engine: &EngineHandle, json: bool) -> Result<String, Failure> {
    let (queue, id) = one.resolve(engine)?;
    let told = |error: EngineError| failure::engine(&error);
    let job = queue.get(&id).await.map_err(told)?;
    let job = job.ok_or_else(|| one.missing())?;
    let children = unless_unsupported(queue.children(&id).await)?.flatten();
    let children = children.filter(|children| {
        let Children {
            pending,
            completed,
            ignored,
            failed,
            ..
        } = children;
        !(pending.is_empty() && completed.is_empty() && ignored.is_empty() && failed.is_empty())
    });
    let lines = Page {
        offset: 0,
        limit: engine.limits().logs as usize,
    };
    let logs = unless_unsupported(queue.logs(&id, lines).await)?.unwrap_or_default();
    if json {
        return Ok(render::json(&Shown {
            job: &job,
            children: children.as_ref(),
            logs: &logs.lines,
        }));
    }
    Ok(render::job(&job, children.as_ref(), &logs.lines))
}

/// What a store without flows or logs has of them: nothing.
fn unless_unsupported<T>(found: Result<T, EngineError>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(EngineError::Unsupported(_)) => Ok(None),
        Err(error) => Err(failure::engine(&error)),
    }
}

#[derive(Debug, Args)]
pub(super) struct Logs {
    #[command(flatten)]
    one: One,
    /// How many lines
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// How many of the oldest lines to skip
    #[arg(long, default_value_t = 0)]
    offset: u64,
}

impl Logs {
    pub(super) async fn perform(
        &self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let (queue, id) = self.one.resolve(engine)?;
        let told = |error: EngineError| failure::engine(&error);
        if queue.get(&id).await.map_err(told)?.is_none() {
            return Err(self.one.missing());
        }
        let page = Page {
            offset: self.offset,
            limit: usize::try_from(self.limit).unwrap_or(usize::MAX),
        };
        let LogPage { lines, total } = queue.logs(&id, page).await.map_err(told)?;
        if json {
            return Ok(render::json(&LogPage { lines, total }));
        }
        if lines.is_empty() {
            return Ok("There are no log lines.\n".to_owned());
        }
        Ok(lines.join("\n") + "\n")
    }
}

#[derive(Debug, Args)]
pub(super) struct Find {
    /// The queue
    queue: String,
    /// Only jobs with this text in the payload, the last error or the id
    #[arg(long)]
    text: Option<String>,
    /// Only jobs with this name
    #[arg(long)]
    name: Option<String>,
    /// Only jobs in this state; can be given several times
    #[arg(long = "state", value_parser = values::state)]
    states: Vec<State>,
    #[command(flatten)]
    part: Part,
}

impl Find {
    pub(super) async fn perform(
        self,
        engine: &EngineHandle,
        json: bool,
    ) -> Result<String, Failure> {
        let queue = raw_queue(engine, &self.queue)?;
        let page = self.part.page();
        let mut search = Search::default();
        search.states = self.states;
        search.name = self.name;
        search.text = self.text;
        let found = queue.search(search, page).await;
        let found = found.map_err(|error| failure::engine(&error))?;
        Ok(if json {
            render::json(&found)
        } else {
            render::jobs(&found.jobs)
        })
    }
}
