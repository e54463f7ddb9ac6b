//! Jobs made again and again: what is to be made, and when.
//!
//! A *slot* is a point in time at which a scheduler makes a job. The engine makes it, not a running job,
//! and each slot of a scheduler has one job at most: its id is `repeat-{scheduler}-{milliseconds}` on the
//! embedded engine.
//!
//! In a cron pattern, a slot that falls into the hour that clocks skip is made when they have skipped it, if
//! the pattern names a fixed time of day (`30 2 * * *`), and is left out if it repeats within the day; one in
//! the hour that clocks repeat is made once by a fixed time, and twice if it repeats within the day.

mod plan;
mod timetable;
mod zoned;

#[cfg(test)]
mod tests;

pub(crate) use plan::{Plan, Standing};

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::names::SchedulerId;
use crate::options::JobOptions;
use crate::settings::millis;

/// When jobs are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// At the times of a cron pattern (five fields, or six with seconds first) in an IANA time zone.
    Cron {
        /// The pattern.
        pattern: String,
        /// The zone, such as `Europe/Berlin`.
        zone: String,
    },
    /// At equal distances.
    Every {
        /// The distance, at least 1 ms.
        #[serde(with = "millis")]
        every: Duration,
        /// Slots lie at `n * every + offset` after the Unix epoch; without one they follow the first job, which
        /// is made at once, or at `start`.
        offset: Option<Duration>,
    },
}

/// What happens to slots that passed before their job was made: no process ran, or (unless each slot gets its
/// job) the scheduler's last job still waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CatchUp {
    /// They are left out, but for the newest one if it is at most 10 seconds late and no job of the scheduler
    /// waits.
    Skip,
    /// One job stands for all of them: the one that waits already, else one for the newest of them.
    #[default]
    One,
    /// Each gets its job, in order, at most 100 of a scheduler at a time. Jobs pile up while no worker runs.
    All,
}

/// A scheduler: what to make and when.
#[derive(Debug, Clone)]
#[must_use = "a scheduler does nothing until it is stored"]
pub struct Scheduler {
    /// Its id, unique in its queue.
    pub id: SchedulerId,
    /// When.
    pub schedule: Schedule,
    /// No slot before this time.
    pub start: Option<Timestamp>,
    /// No slot after this time.
    pub end: Option<Timestamp>,
    /// How many jobs are made in all.
    pub limit: Option<NonZeroU64>,
    /// Whether the first job of a new scheduler is made at once.
    pub immediately: bool,
    /// What happens to missed slots.
    pub catch_up: CatchUp,
    /// The name of the jobs.
    pub name: String,
    /// Their payload.
    pub data: Box<RawValue>,
    /// Their options; an id, a delay and a deduplication are not used.
    pub options: JobOptions,
}

/// A scheduler as it stands.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SchedulerInfo {
    /// Its id.
    pub id: SchedulerId,
    /// When.
    pub schedule: Schedule,
    /// The name of its jobs.
    pub name: String,
    /// Their payload.
    pub data: Box<RawValue>,
    /// The next slot; none when there is none any more.
    pub next: Option<Timestamp>,
    /// How many jobs it made.
    pub made: u64,
    /// How many it makes in all.
    pub limit: Option<NonZeroU64>,
    /// No slot before this time.
    pub start: Option<Timestamp>,
    /// No slot after this time.
    pub end: Option<Timestamp>,
    /// What happens to missed slots.
    pub catch_up: CatchUp,
    /// The options of its jobs.
    #[serde(skip)]
    pub options: JobOptions,
}
