//! The bounds of a broadcaster.

use std::num::NonZeroUsize;
use std::time::Duration;

/// What happens to a client that reads so slowly that events it has not seen leave the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum LagPolicy {
    /// It gets a `reset` event and goes on with what comes next. The default.
    #[default]
    Reset,
    /// Its stream ends. A browser reconnects, and is told to reset then.
    Disconnect,
}

/// Bounds and times of a [`Broadcaster`](super::Broadcaster), each with a default.
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    pub(super) buffer_events: NonZeroUsize,
    pub(super) buffer_bytes: NonZeroUsize,
    pub(super) max_clients: usize,
    pub(super) heartbeat: Duration,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) retry: Duration,
    pub(super) lag: LagPolicy,
}

impl Options {
    /// How many events are kept for clients that come back or lag. Default: 1,024.
    pub fn with_buffer_events(mut self, events: NonZeroUsize) -> Self {
        self.buffer_events = events;
        self
    }

    /// How many bytes of memory they may take. Default: 4 MiB. Also the most a single event may take.
    pub fn with_buffer_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.buffer_bytes = bytes;
        self
    }

    /// How many clients there may be at a time. Default: 10,000.
    pub fn with_max_clients(mut self, clients: usize) -> Self {
        self.max_clients = clients;
        self
    }

    /// After how long a silence a comment is sent, so that proxies keep the connection and a dead client
    /// is noticed. Default: 15 s.
    pub fn with_heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// After how long a stream ends and the client has to come back. Default: never.
    pub fn with_max_lifetime(mut self, lifetime: Option<Duration>) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// How long clients wait before they reconnect. Default: 3 s. When the broadcaster drains, each is
    /// given a time of its own between this and its double.
    pub fn with_retry(mut self, wait: Duration) -> Self {
        self.retry = wait;
        self
    }

    /// What happens to a client that falls behind. Default: [`LagPolicy::Reset`].
    pub fn with_lag_policy(mut self, policy: LagPolicy) -> Self {
        self.lag = policy;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            buffer_events: NonZeroUsize::new(1_024).expect("not zero"),
            buffer_bytes: NonZeroUsize::new(4 << 20).expect("not zero"),
            max_clients: 10_000,
            heartbeat: Duration::from_secs(15),
            max_lifetime: None,
            retry: Duration::from_secs(3),
            lag: LagPolicy::default(),
        }
    }
}
