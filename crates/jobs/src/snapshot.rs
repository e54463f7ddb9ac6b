//! What can be seen of jobs and queues. JSON uses `snake_case` names and milliseconds for times.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::flow::JobRef;
use crate::names::{GroupName, JobId, QueueName, SchedulerId};
use crate::settings::QueueSettings;
use crate::state::State;

/// A job as it stood when it was read.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct JobSnapshot {
    /// Its queue.
    pub queue: QueueName,
    /// Its id.
    pub id: JobId,
    /// Its name, the kind of work.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// The payload, byte for byte as it was added.
    pub data: Box<RawValue>,
    /// 0 is none.
    pub priority: u32,
    /// Attempts used up.
    pub attempts_made: u32,
    /// Attempts it may use.
    pub max_attempts: u32,
    /// How often a worker took it.
    pub starts: u32,
    /// How often its lease ran out.
    pub stalls: u32,
    /// What the handler last reported.
    pub progress: Option<Box<RawValue>>,
    /// What the handler returned.
    pub result: Option<Box<RawValue>>,
    /// The last error.
    pub failed_reason: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it is due, if delayed.
    pub due_at: Option<Timestamp>,
    /// When the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it completed or failed.
    pub finished_at: Option<Timestamp>,
    /// Until when its lease runs, if active.
    pub lease_until: Option<Timestamp>,
    /// The group it is served with.
    pub group: Option<GroupName>,
    /// The job that waits for it.
    pub parent: Option<JobRef>,
    /// The scheduler that made it.
    pub scheduler: Option<SchedulerId>,
    /// The deduplication it was added under.
    pub deduplication: Option<String>,
    /// Its attempts, oldest first; the oldest are dropped beyond the engine's limit.
    pub attempts: Vec<AttemptRecord>,
}

/// One attempt at a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptRecord {
    /// 1 for the first time a worker took the job.
    pub start: u32,
    /// When the worker took it.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What went wrong.
    pub error: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// It has not.
    Running,
    /// The handler succeeded.
    Completed,
    /// The handler failed or panicked.
    Failed,
    /// The lease ran out or the process died.
    Stalled,
    /// The worker stopped and gave the job back.
    HandedBack,
    /// The handler asked to go on later.
    Postponed,
}

/// How many jobs of a queue stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct QueueCounts {
    /// Ready without priority.
    pub waiting: u64,
    /// Ready with priority.
    pub prioritized: u64,
    /// Not due yet.
    pub delayed: u64,
    /// Until their children are done.
    #[serde(rename = "waiting-children")]
    pub waiting_children: u64,
    /// Held by workers.
    pub active: u64,
    /// Done and kept.
    pub completed: u64,
    /// Given up and kept.
    pub failed: u64,
}

impl QueueCounts {
    /// The count of one state.
    pub const fn of(&self, state: State) -> u64 {
        match state {
            State::Waiting => self.waiting,
            State::Prioritized => self.prioritized,
            State::Delayed => self.delayed,
            State::WaitingChildren => self.waiting_children,
            State::Active => self.active,
            State::Completed => self.completed,
            State::Failed => self.failed,
        }
    }

    /// Jobs that are not active and have not ended.
    pub const fn not_started(&self) -> u64 {
        self.waiting + self.prioritized + self.delayed + self.waiting_children
    }

    pub(crate) const fn slot(&mut self, state: State) -> &mut u64 {
        match state {
            State::Waiting => &mut self.waiting,
            State::Prioritized => &mut self.prioritized,
            State::Delayed => &mut self.delayed,
            State::WaitingChildren => &mut self.waiting_children,
            State::Active => &mut self.active,
            State::Completed => &mut self.completed,
            State::Failed => &mut self.failed,
        }
    }
}

/// A queue the engine knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueInfo {
    /// Its name.
    pub name: QueueName,
    /// Whether workers are kept from taking jobs.
    pub paused: bool,
    /// Its jobs by state.
    pub counts: QueueCounts,
    /// Its bounds.
    pub settings: QueueSettings,
}

/// Which part of a listing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Jobs to skip.
    pub offset: u64,
    /// Jobs to read, at most the engine's page limit.
    pub limit: usize,
}

impl Default for Page {
    /// The first 20.
    fn default() -> Self {
        Self {
            offset: 0,
            limit: 20,
        }
    }
}

/// A part of a listing.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct JobPage {
    /// The jobs: ready ones in the order they will be served, delayed ones by due time, active ones by
    /// the end of their lease, finished ones newest first.
    pub jobs: Vec<JobSnapshot>,
    /// How many there are in this state.
    pub total: u64,
}
