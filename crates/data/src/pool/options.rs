//! How many connections a pool has, and when it distrusts them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Clock, SystemClock};
use super::place::Place;

/// The bounds of a pool. Each has a default.
#[derive(Debug, Clone)]
#[must_use = "pass it to `Pool::new`"]
pub struct PoolOptions {
    pub(super) size: NonZeroUsize,
    pub(super) max_waiting: usize,
    pub(super) connect_timeout: Duration,
    pub(super) check_after_idle: Duration,
    pub(super) check_timeout: Duration,
    pub(super) max_lifetime: Duration,
    pub(super) max_idle: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl Default for PoolOptions {
    /// For where the process runs: [`Place::current`].
    fn default() -> Self {
        Self::of(Place::current())
    }
}

impl PoolOptions {
    /// The defaults of a place; they differ in the size only.
    pub fn of(place: Place) -> Self {
        Self {
            size: place.connections(),
            max_waiting: 1024,
            connect_timeout: Duration::from_secs(3),
            check_after_idle: Duration::from_secs(1),
            check_timeout: Duration::from_millis(250),
            max_lifetime: Duration::from_mins(25),
            max_idle: Duration::from_mins(10),
            clock: Arc::new(SystemClock),
        }
    }

    /// How many connections there may be at once. Default: [`Place::connections`].
    pub fn size(mut self, connections: NonZeroUsize) -> Self {
        self.size = connections;
        self
    }

    /// How many callers may wait for a connection; the next one is refused at once. Default: 1024.
    pub fn max_waiting(mut self, callers: usize) -> Self {
        self.max_waiting = callers;
        self
    }

    /// How long one attempt to connect may take, TLS and authentication included; never longer than the caller's
    /// deadline. Default: 3 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// A connection that lay unused for longer is checked before it is lent. On Lambda it is trusted for 30 s
    /// within the invocation it was used in. After a freeze it is checked whatever this says. Default: 1 s.
    pub fn check_after_idle(mut self, idle: Duration) -> Self {
        self.check_after_idle = idle;
        self
    }

    /// How long a check may take: an answer that takes longer counts as none, and a new connection is opened.
    /// Default: 250 ms.
    pub fn check_timeout(mut self, timeout: Duration) -> Self {
        self.check_timeout = timeout;
        self
    }

    /// How old a connection may become; it is replaced when it would be lent next, up to a fifth earlier by chance.
    /// Keep it below what proxies allow (RDS Proxy: idle 30 min) and how long a credential is valid.
    /// Default: 25 min.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// Connections that a peak left behind are closed after lying unused for so long. Default: 10 min.
    pub fn max_idle(mut self, idle: Duration) -> Self {
        self.max_idle = idle;
        self
    }

    /// Where the pool reads the time. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}
