use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::SqliteEngine;
use crate::clock::{Clock, SystemClock};
use crate::error::OpenError;
use crate::limits::Limits;
use crate::retention::Retention;

/// What survives a power loss. Either way the file stays sound, and a killed process loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Everything that was answered, leases aside (a power loss ends them anyway): one fsync a commit. As
    /// good as the disk's word.
    #[default]
    Full,
    /// Everything but perhaps the last moments: fsync only at checkpoints.
    Normal,
}

impl Durability {
    /// Sets a connection so.
    pub(super) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "PRAGMA synchronous = FULL",
            Self::Normal => "PRAGMA synchronous = NORMAL",
        }
    }
}

/// How to open a [`SqliteEngine`]. [`SqliteOptions::open`] does it.
#[derive(Debug, Clone)]
#[must_use]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) shared: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) keep_completed: Retention,
    pub(super) keep_failed: Retention,
    pub(super) stall_limit: u32,
    pub(super) busy_bound: Duration,
    pub(super) sweep_every: Duration,
    pub(super) readers: usize,
    pub(super) line: usize,
    pub(super) events: usize,
    pub(super) max_size: Option<u64>,
}

impl SqliteOptions {
    /// The defaults for the file at `path`, which is created if it is missing.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            durability: Durability::Full,
            shared: false,
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            keep_completed: Retention::COMPLETED,
            keep_failed: Retention::FAILED,
            stall_limit: 10,
            busy_bound: Duration::from_secs(10),
            sweep_every: Duration::from_secs(2),
            readers: 2,
            line: 1_024,
            events: 1_024,
            max_size: None,
        }
    }

    /// What survives a power loss. Default [`Durability::Full`].
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Whether the file may be the application's own database, so that jobs can be added in its transactions.
    /// The tables' names begin with `paceline_`. Default: a file with other tables is refused.
    pub const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Where the time is read. Default [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What is accepted. Default [`Limits::default`].
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long completed jobs are kept. Default [`Retention::COMPLETED`].
    pub const fn keep_completed(mut self, retention: Retention) -> Self {
        self.keep_completed = retention;
        self
    }

    /// How long failed jobs are kept. Default [`Retention::FAILED`].
    pub const fn keep_failed(mut self, retention: Retention) -> Self {
        self.keep_failed = retention;
        self
    }

    /// How many lost leases a job is forgiven before it fails. Default 10.
    pub const fn stall_limit(mut self, limit: u32) -> Self {
        self.stall_limit = limit;
        self
    }

    /// How long an operation waits while other processes write. Default 10 seconds.
    pub const fn busy_bound(mut self, bound: Duration) -> Self {
        self.busy_bound = bound;
        self
    }

    /// How often the engine looks for ended leases and outlived jobs. Default 2 seconds.
    pub const fn sweep_every(mut self, every: Duration) -> Self {
        self.sweep_every = every;
        self
    }

    /// Threads that read, each with a connection. Default 2.
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// Events kept for slow subscribers. Default 1,024.
    pub const fn event_buffer(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// How large the file may grow, in bytes; what does not fit is refused as on a full disk, until jobs are
    /// removed. Default: no bound.
    pub const fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// Opens the file and starts the engine's threads. Blocks for as long as the disk takes.
    pub fn open(self) -> Result<SqliteEngine, OpenError> {
        SqliteEngine::open_with(&self)
    }
}
