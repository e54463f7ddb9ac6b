//! What a pool tells about itself.

use std::fmt;
use std::time::Duration;

use super::error::Seconds;

/// How busy a pool is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// How many connections there may be.
    pub size: usize,
    /// How many are lent, or being opened or checked to be lent.
    pub in_use: usize,
    /// How many lie ready.
    pub idle: usize,
    /// How many callers wait.
    pub waiting: usize,
    /// For how long the one that is out longest has been out.
    pub longest_held: Option<Duration>,
}

impl fmt::Display for Occupancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            size,
            in_use,
            waiting,
            ..
        } = self;
        write!(f, "pool size {size}, in use {in_use}, waiting {waiting}")?;
        match self.longest_held {
            Some(held) => write!(f, ", longest held {}", Seconds(held)),
            None => Ok(()),
        }
    }
}

/// A pool's present state and what it has counted since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// How busy it is now.
    pub occupancy: Occupancy,
    /// The moving mean of how long connections are held; nothing before the eighth lease ended.
    pub mean_held: Option<Duration>,
    /// What it has counted.
    pub counts: Counts,
}

/// What a pool has counted since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Connections lent.
    pub lent: u64,
    /// Callers who had to wait for one.
    pub waited: u64,
    /// Connections opened.
    pub opened: u64,
    /// Attempts to open one that failed.
    pub failed_attempts: u64,
    /// Connections checked before they were lent.
    pub checked: u64,
    /// Checks that failed, or were not answered in time; the connection was replaced, no query failed.
    pub failed_checks: u64,
    /// Connections checked because the process had been frozen.
    pub after_freeze: u64,
    /// Connections found closed when they were to be lent or were returned.
    pub found_closed: u64,
    /// Connections replaced because of their age, or closed because nobody needed them.
    pub retired: u64,
    /// Connections that a caller gave up: [`Lease::discard`](super::Lease::discard).
    pub discarded: u64,
    /// Callers refused because waiting was hopeless, or too many waited.
    pub shed: u64,
    /// Callers whose deadline passed while they waited.
    pub timed_out: u64,
}
