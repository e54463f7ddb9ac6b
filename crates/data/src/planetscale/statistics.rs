//! What a client has done so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts kept by a client.
#[derive(Debug, Default)]
pub(super) struct Counted {
    requests: AtomicU64,
    failures: AtomicU64,
    sessions: AtomicU64,
    in_flight: AtomicU64,
    server_micros: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStatistics {
    /// Statements sent, those that check a session among them.
    pub requests: u64,
    /// Statements that had no result: refused, lost, too late.
    pub failures: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Sessions that lie ready for the next statement.
    pub kept_sessions: usize,
    /// Statements without an answer yet.
    pub in_flight: u64,
    /// How long the server worked on statements, as it says, in total.
    pub server_time: Duration,
}

/// A statement under way. However it ends, it is no longer in flight.
#[derive(Debug)]
pub(super) struct InFlight<'a> {
    counted: &'a Counted,
    has_result: bool,
}

impl Counted {
    pub(super) fn begin(&self) -> InFlight<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight {
            counted: self,
            has_result: false,
        }
    }

    pub(super) fn session(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self, kept_sessions: usize) -> ClientStatistics {
        ClientStatistics {
            requests: self.requests.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            sessions: self.sessions.load(Ordering::Relaxed),
            kept_sessions,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            server_time: Duration::from_micros(self.server_micros.load(Ordering::Relaxed)),
        }
    }
}

impl InFlight<'_> {
    /// There is a result, on which the server worked for so many seconds.
    pub(super) fn succeeded(mut self, seconds: f64) {
        self.has_result = true;
        let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let micros = u64::try_from(took.as_micros()).unwrap_or_default();
        self.counted
            .server_micros
            .fetch_add(micros, Ordering::Relaxed);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.counted.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.has_result {
            self.counted.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}
