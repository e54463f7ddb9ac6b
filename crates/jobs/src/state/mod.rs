//! The job state machine: every transition is decided here, from data and `now`, and nowhere else.
//! Engines store what [`decide`] answers. `docs/job-states.md` draws it.

mod transition;

pub use transition::{Change, JobFacts, Place, Trigger, WrongState, decide, initial};

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Ready, without a priority: served first, in order of arrival.
    Waiting,
    /// Ready, with a priority: served after the waiting ones, lowest number first.
    Prioritized,
    /// Not before a certain time.
    Delayed,
    /// Not before its children are done.
    #[serde(rename = "waiting-children")]
    WaitingChildren,
    /// Held by a worker under a lease.
    Active,
    /// Done.
    Completed,
    /// Given up; can be retried by hand.
    Failed,
}

impl State {
    /// Every state, in the order counts are listed.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Prioritized,
        Self::Delayed,
        Self::WaitingChildren,
        Self::Active,
        Self::Completed,
        Self::Failed,
    ];

    /// The state of a job that is ready now.
    pub const fn ready(priority: u32) -> Self {
        if priority == 0 {
            Self::Waiting
        } else {
            Self::Prioritized
        }
    }

    /// Whether a worker may take the job now.
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Waiting | Self::Prioritized)
    }

    /// Whether the job ended (completed or failed).
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// The name used in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Prioritized => "prioritized",
            Self::Delayed => "delayed",
            Self::WaitingChildren => "waiting-children",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// The state called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
