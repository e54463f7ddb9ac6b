//! The layer that enforces shared limits on HTTP requests.

use tower_layer::Layer;

use super::super::layer::Settings;
use super::super::lint::Warning;
use super::super::{Clock, HeaderDialect, RequestKey};
use super::{SharedLimiter, SharedRateLimit};

/// Limits requests per client address, or whatever its [`RequestKey`] says, by counts several processes
/// share. See the [module](super) for an example, and
/// [`RateLimitLayer`](super::super::RateLimitLayer) for where to put it.
#[derive(Debug, Clone)]
pub struct SharedRateLimitLayer {
    limiter: SharedLimiter,
    settings: Settings,
}

impl SharedRateLimitLayer {
    /// Enforces the policies of `limiter`.
    pub fn new(limiter: SharedLimiter) -> Self {
        let settings = Settings::new(limiter.policies(), limiter.identity(), true);
        if let Some(policy) = limiter.claimed_twice() {
            settings.watch.tell(Warning::SharedCounts {
                policy: policy.to_owned(),
            });
        }
        Self { limiter, settings }
    }

    /// Takes the time for what is counted in this process from `clock`. Default: the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.settings.clock = std::sync::Arc::new(clock);
        self
    }

    /// Counts by this key. Default: the client's address, IPv6 by its /56.
    #[must_use]
    pub fn with_key(mut self, key: RequestKey) -> Self {
        self.settings.watch.key_is(&key);
        self.settings.key = key;
        self
    }

    /// Tells clients where they stand in this dialect. Default: [`HeaderDialect::Draft10`].
    #[must_use]
    pub fn with_headers(mut self, dialect: HeaderDialect) -> Self {
        self.settings.dialect = dialect;
        self
    }

    /// The limiter.
    pub fn limiter(&self) -> &SharedLimiter {
        &self.limiter
    }

    /// The mistakes found so far, in the set-up and in the first requests.
    pub fn warnings(&self) -> Vec<Warning> {
        self.settings.watch.warnings()
    }
}

impl<S> Layer<S> for SharedRateLimitLayer {
    type Service = SharedRateLimit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SharedRateLimit::new(inner, self.limiter.clone(), self.settings.clone())
    }
}
