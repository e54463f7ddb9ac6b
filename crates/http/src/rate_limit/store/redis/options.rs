//! Where the server is, and how patiently it is asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::super::{Clock, Policy};

/// A Redis server for limits.
///
/// ```
/// use std::time::Duration;
/// use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};
///
/// let options = RedisOptions::new("redis://127.0.0.1:6379").deadline(Duration::from_millis(20));
/// let store = RedisStore::new(&options)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisOptions {
    pub(super) url: String,
    pub(super) prefix: String,
    pub(super) deadline: Duration,
    pub(super) connecting: Duration,
    pub(super) rest: Duration,
    pub(super) clock: Option<Arc<dyn Clock>>,
}

impl RedisOptions {
    /// The server at `url`: `redis://[user:password@]host[:port][/database]`, or `rediss://` over TLS
    /// (feature `redis-tls`). Any node of a cluster will do.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "paceline:limit".to_owned(),
            deadline: Duration::from_millis(50),
            connecting: Duration::from_secs(2),
            rest: Duration::from_secs(1),
            clock: None,
        }
    }

    /// What keys begin with. Default: `paceline:limit`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Within which an answer must be there. Default: 50 ms.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long making a connection may take; it goes on when a request's deadline is over. Default: 2 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connecting = timeout;
        self
    }

    /// How long a server that failed five times in a row is left alone. Default: 1 s.
    pub fn rest(mut self, rest: Duration) -> Self {
        self.rest = rest;
        self
    }

    /// Tells the server the time instead of taking its own. For tests: the clocks of several processes
    /// differ.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// The text is not the address of a Redis server. Neither the text nor what the client library says of it is shown:
/// both may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidRedisUrl;

impl fmt::Display for InvalidRedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not the address of a Redis server: write redis://host:port, or rediss://host:port with the \
             feature `redis-tls`; of a cluster name one node, of servers behind sentinels the master",
        )
    }
}

impl std::error::Error for InvalidRedisUrl {}

/// A quota that is too large for exact arithmetic on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLargeForRedis {
    policy: String,
}

impl TooLargeForRedis {
    /// The largest product of maximum and milliseconds: twice that is a whole number in a script, where
    /// numbers have 53 bits.
    pub const LARGEST: u128 = 1 << 52;

    /// Whether the server can count for this policy.
    ///
    /// Its maximum times its window in milliseconds must be at most 2^52: 52,000,000 a day, or 140,000 a
    /// year.
    pub fn check(policy: &Policy) -> Result<(), Self> {
        let quota = policy.quota();
        let product = quota.window().as_millis() * u128::from(quota.max().get());
        if product <= Self::LARGEST {
            Ok(())
        } else {
            Err(Self {
                policy: policy.name().to_owned(),
            })
        }
    }
}

impl fmt::Display for TooLargeForRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the quota of the policy `{}` is too large for the Redis store: its maximum times its window in \
             milliseconds must be at most 2^52; use a shorter window",
            self.policy
        )
    }
}

impl std::error::Error for TooLargeForRedis {}
