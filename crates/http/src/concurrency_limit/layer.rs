//! The layer that bounds how many requests run.

use std::num::NonZeroUsize;
use std::time::Duration;

use tower_layer::Layer;

use super::ConcurrencyLimit;
use super::gate::Gate;
use crate::rate_limit::PathPrefix;

/// Lets so many requests run at the same time. Clones, and all services made from one layer, share the
/// places.
///
/// See the [module](super) for an example.
#[derive(Debug, Clone)]
#[must_use]
pub struct ConcurrencyLimitLayer {
    max: NonZeroUsize,
    queue: usize,
    patience: Duration,
    retry_after: Duration,
    path: PathPrefix,
    gate: Gate,
}

impl ConcurrencyLimitLayer {
    /// How long a request waits unless told otherwise.
    pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(5);

    /// Lets `max` requests run and twice as many wait.
    pub fn new(max: NonZeroUsize) -> Self {
        let queue = max.get().saturating_mul(2);
        let (patience, retry_after) = (Self::DEFAULT_PATIENCE, Duration::from_secs(1));
        Self {
            max,
            queue,
            patience,
            retry_after,
            path: PathPrefix::all(),
            gate: Gate::new(max.get(), queue, patience, retry_after),
        }
    }

    /// Lets `requests` wait; 0 turns everyone away who cannot run at once. Default: twice as many as run.
    pub fn with_queue(mut self, requests: usize) -> Self {
        self.queue = requests;
        self.renewed()
    }

    /// How long a request waits before it is turned away. Default: 5 s.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self.renewed()
    }

    /// What those who are turned away are told to wait, rounded up to whole seconds, at least one.
    /// Default: 1 s.
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = wait;
        self.renewed()
    }

    /// Bounds only requests under `path`. Default: all.
    pub fn with_path(mut self, path: PathPrefix) -> Self {
        self.path = path;
        self
    }

    /// Settings are made before services: each change means new places.
    fn renewed(mut self) -> Self {
        self.gate = Gate::new(self.max.get(), self.queue, self.patience, self.retry_after);
        self
    }
}

impl<S> Layer<S> for ConcurrencyLimitLayer {
    type Service = ConcurrencyLimit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ConcurrencyLimit::new(inner, self.gate.clone(), self.path.clone())
    }
}
