//! The layer that enforces limits on HTTP requests.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tower_layer::Layer;

use super::{Clock, Limiter, Policy, RateLimit, SystemClock};
use crate::client_ip::Ipv6PrefixLength;

/// Limits requests per client address.
///
/// Put it outside the router (so that it sees whole paths) and inside
/// [`ClientAddressLayer`](crate::client_ip::ClientAddressLayer), whose
/// [`ClientAddress`](crate::client_ip::ClientAddress) it counts by; without it, it counts by the peer of
/// the connection. Clones, and all services made from one layer, share their counts.
#[derive(Debug, Clone)]
pub struct RateLimitLayer {
    limiter: Limiter,
    clock: Arc<dyn Clock>,
    ipv6_prefix: Ipv6PrefixLength,
}

impl RateLimitLayer {
    /// Enforces these policies, counting in this process' memory, on the system's monotonic clock.
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        Self::with_limiter(Limiter::new(policies))
    }

    /// Like [`new`](Self::new), with room for `windows` windows instead of
    /// [`MemoryStore::DEFAULT_CAPACITY`](super::MemoryStore::DEFAULT_CAPACITY).
    pub fn with_capacity(
        policies: impl IntoIterator<Item = Policy>,
        windows: NonZeroUsize,
    ) -> Self {
        Self::with_limiter(Limiter::with_capacity(policies, windows))
    }

    /// Enforces the policies of a limiter that others may use too, provided they use the same clock.
    pub fn with_limiter(limiter: Limiter) -> Self {
        Self {
            limiter,
            clock: Arc::new(SystemClock::new()),
            ipv6_prefix: Ipv6PrefixLength::default(),
        }
    }

    /// Takes the time from `clock`. Default: a [`SystemClock`].
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Counts IPv6 clients by networks of this prefix length. Default: /56.
    #[must_use]
    pub fn with_ipv6_prefix(mut self, prefix: Ipv6PrefixLength) -> Self {
        self.ipv6_prefix = prefix;
        self
    }

    /// The limiter.
    pub fn limiter(&self) -> &Limiter {
        &self.limiter
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit::new(
            inner,
            self.limiter.clone(),
            Arc::clone(&self.clock),
            self.ipv6_prefix,
        )
    }
}
