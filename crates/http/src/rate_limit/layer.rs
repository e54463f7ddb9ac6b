//! The layer that enforces limits on HTTP requests.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tower_layer::Layer;

use super::lint::{Warning, Watch};
use super::{Clock, HeaderDialect, Limiter, Policy, RateLimit, RequestKey, SystemClock};
use crate::client_ip::Ipv6PrefixLength;

/// Limits requests per client address, or whatever its [`RequestKey`] says.
///
/// Put it outside the router (so that it sees whole paths) and inside
/// [`ClientAddressLayer`](crate::client_ip::ClientAddressLayer), whose
/// [`ClientAddress`](crate::client_ip::ClientAddress) it counts by; without it, it counts by the peer of
/// the connection. Clones, and all services made from one layer, share their counts.
///
/// The first requests are looked at for mistakes in the set-up ([`lint`](super::lint)); each is logged
/// once, as a warning.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
///
/// use axum::{Router, routing::get};
/// use paceline_http::rate_limit::{Algorithm, HeaderDialect, Policy, Quota, RateLimitLayer};
///
/// let quota = Quota::new(NonZeroU32::new(100).unwrap(), Duration::from_mins(1))?
///     .with_algorithm(Algorithm::SlidingWindow);
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .layer(RateLimitLayer::new([Policy::new("all", quota)?]).with_headers(HeaderDialect::Draft6));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RateLimitLayer {
    limiter: Limiter,
    settings: Settings,
}

/// What the layers of both kinds of limiters have in common.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: RequestKey,
    pub(super) dialect: HeaderDialect,
    pub(super) watch: Arc<Watch>,
}

impl Settings {
    pub(super) fn new(policies: &[Policy], identity: usize, is_shared: bool) -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            key: RequestKey::default(),
            dialect: HeaderDialect::default(),
            watch: Arc::new(Watch::new(policies, identity, is_shared)),
        }
    }
}

impl RateLimitLayer {
    /// Enforces these policies, counting in this process' memory, on the system's monotonic clock.
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        Self::with_limiter(Limiter::new(policies))
    }

    /// Like [`new`](Self::new), with room for `counts` counts instead of
    /// [`MemoryStore::DEFAULT_CAPACITY`](super::MemoryStore::DEFAULT_CAPACITY).
    pub fn with_capacity(policies: impl IntoIterator<Item = Policy>, counts: NonZeroUsize) -> Self {
        Self::with_limiter(Limiter::with_capacity(policies, counts))
    }

    /// Enforces the policies of a limiter that others may use too, provided they use the same clock.
    pub fn with_limiter(limiter: Limiter) -> Self {
        let settings = Settings::new(limiter.policies(), limiter.identity(), false);
        Self { limiter, settings }
    }

    /// Takes the time from `clock`. Default: a [`SystemClock`].
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Counts by this key. Default: the client's address, IPv6 by its /56.
    #[must_use]
    pub fn with_key(mut self, key: RequestKey) -> Self {
        self.settings.watch.key_is(&key);
        self.settings.key = key;
        self
    }

    /// Counts IPv6 clients by networks of this prefix length. Default: /56.
    #[must_use]
    pub fn with_ipv6_prefix(self, prefix: Ipv6PrefixLength) -> Self {
        let key = self.settings.key.clone().with_ipv6_prefix(prefix);
        self.with_key(key)
    }

    /// Tells clients where they stand in this dialect. Default: [`HeaderDialect::Draft10`].
    #[must_use]
    pub fn with_headers(mut self, dialect: HeaderDialect) -> Self {
        self.settings.dialect = dialect;
        self
    }

    /// The limiter.
    pub fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// The mistakes found so far, in the set-up and in the first requests.
    pub fn warnings(&self) -> Vec<Warning> {
        self.settings.watch.warnings()
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit::new(inner, self.limiter.clone(), self.settings.clone())
    }
}
