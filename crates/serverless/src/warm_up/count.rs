//! How often the environment was found cold and warm.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Counts of this environment; clones count together.
///
/// How many environments warm-ups reach is seen over all of them: each logs its own id with every warm-up, so a query
/// over the logs counts the distinct ones (docs/lambda.md).
#[derive(Debug, Clone)]
pub struct Counters(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    environment: OnceLock<String>,
    requests: AtomicU64,
    warm_ups: AtomicU64,
    others: AtomicU64,
}

/// What was counted until now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The environment: its log stream, or a random name, drawn with its first event so that copies of a snapshot differ.
    /// Empty before that.
    pub environment: String,
    /// Whether the first invocation was a request, which so waited for the start.
    pub cold_requests: u64,
    /// Requests that found the environment started.
    pub warm_requests: u64,
    /// Warm-ups.
    pub warm_ups: u64,
    /// Other events.
    pub others: u64,
}

/// What an invocation was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    WarmUp,
    Other,
}

/// Set in `requests` by the request that came first of all.
const COLD: u64 = 1 << 63;

impl Counters {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            environment: OnceLock::new(),
            requests: AtomicU64::new(0),
            warm_ups: AtomicU64::new(0),
            others: AtomicU64::new(0),
        }))
    }

    /// Names the environment, where the platform does.
    pub(crate) fn name(&self, log_stream: Option<&str>) {
        if let Some(name) = log_stream {
            self.0.environment.get_or_init(|| name.to_owned());
        }
    }

    /// Counts an invocation; whether it is the environment's first.
    pub(crate) fn count(&self, kind: Kind) -> bool {
        self.0.environment.get_or_init(random);
        let is_first = self.total() == 0;
        match kind {
            Kind::Request if is_first => self.0.requests.fetch_or(COLD, Ordering::Relaxed),
            Kind::Request => self.0.requests.fetch_add(1, Ordering::Relaxed),
            Kind::WarmUp => self.0.warm_ups.fetch_add(1, Ordering::Relaxed),
            Kind::Other => self.0.others.fetch_add(1, Ordering::Relaxed),
        };
        is_first
    }

    fn total(&self) -> u64 {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        read(&self.0.requests) | read(&self.0.warm_ups) | read(&self.0.others)
    }

    /// What was counted until now.
    pub fn read(&self) -> Counts {
        let requests = self.0.requests.load(Ordering::Relaxed);
        Counts {
            environment: self.0.environment.get().cloned().unwrap_or_default(),
            cold_requests: u64::from(requests & COLD != 0),
            warm_requests: requests & !COLD,
            warm_ups: self.0.warm_ups.load(Ordering::Relaxed),
            others: self.0.others.load(Ordering::Relaxed),
        }
    }
}

/// A name for an environment whose platform gives it none.
fn random() -> String {
    getrandom::u64().map_or_else(|_| "unknown".to_owned(), |number| format!("{number:016x}"))
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "environment {}: {} cold and {} warm requests, {} warm-ups, {} other events",
            self.environment, self.cold_requests, self.warm_requests, self.warm_ups, self.others
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_cold_only_when_nothing_came_before() {
        let counters = Counters::new();
        assert_eq!(counters.read().environment, "");
        counters.name(Some("2026/11/25/[1]abc"));
        let firsts = [Kind::Request, Kind::Request, Kind::WarmUp].map(|kind| counters.count(kind));
        assert_eq!(firsts, [true, false, false]);
        let counts = counters.clone().read();
        assert_eq!(counts.environment, "2026/11/25/[1]abc");
        assert_eq!(
            (counts.cold_requests, counts.warm_requests, counts.warm_ups),
            (1, 1, 1)
        );

        let warmed = Counters::new();
        for kind in [Kind::WarmUp, Kind::Request, Kind::Other] {
            warmed.count(kind);
        }
        let counts = warmed.read();
        assert_eq!(
            (counts.cold_requests, counts.warm_requests, counts.others),
            (0, 1, 1)
        );
        assert_ne!(counts.environment, counters.read().environment);
    }
}
