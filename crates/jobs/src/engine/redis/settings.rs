use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::RedisEngine;
use super::topology::Encryption;
use crate::clock::{Clock, SystemClock};
use crate::error::OpenError;
use crate::limits::Limits;
use crate::retention::Retention;

/// How to reach a Redis server and how the engine is to work on it. [`RedisOptions::connect`] does it.
#[derive(Clone)]
#[must_use]
pub struct RedisOptions {
    pub(super) url: String,
    pub(super) encryption: Encryption,
    pub(super) settings: RedisSettings,
}

/// Everything but the address, which may hold a password.
#[derive(Debug, Clone)]
pub(super) struct RedisSettings {
    pub(super) prefix: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) keep_completed: Retention,
    pub(super) keep_failed: Retention,
    pub(super) stall_limit: u32,
    pub(super) deadline: Duration,
    pub(super) sweep_every: Duration,
    pub(super) events: usize,
}

impl RedisOptions {
    /// The defaults, for what is at `url`:
    ///
    /// - `redis://[user:password@]host[:port][/database]`: one server, or a node of a Redis Cluster;
    /// - `redis+cluster://[user:password@]host[:port],host[:port]...`: some nodes of a cluster, of which one has
    ///   to be up;
    /// - `redis+sentinel://[user:password@]host[:port],host[:port].../MASTER[/database]`: the server that these
    ///   sentinels (port 26379) call MASTER. User and password are the server's; those of the sentinels are
    ///   parameters (`?sentinel_user=...&sentinel_password=...`).
    ///
    /// With `rediss` instead of `redis` connections are encrypted (feature `redis-tls`). Certificates are checked
    /// with those of the system, or with the files that the parameters `ca_file`, `cert_file` and `key_file`
    /// name; `insecure=true` checks nothing. The parameter `prefix` goes before [`RedisOptions::prefix`].
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            encryption: Encryption::default(),
            settings: RedisSettings {
                prefix: "bull".to_owned(),
                clock: Arc::new(SystemClock),
                limits: Limits::default(),
                keep_completed: Retention::COMPLETED,
                keep_failed: Retention::FAILED,
                stall_limit: 10,
                deadline: Duration::from_secs(5),
                sweep_every: Duration::from_secs(5),
                events: 1_024,
            },
        }
    }

    /// What all keys begin with. Default `bull`, as in BullMQ.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// The certificates (PEM) of the authorities to trust, instead of those the system knows. The parameter
    /// `ca_file` of the address goes before it.
    #[cfg(feature = "redis-tls")]
    pub fn ca_file(mut self, file: impl Into<std::path::PathBuf>) -> Self {
        self.encryption.ca_file = Some(file.into());
        self
    }

    /// The certificate (PEM) to show to a server that asks for one, and its key. The parameters `cert_file` and
    /// `key_file` of the address go before them.
    #[cfg(feature = "redis-tls")]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<std::path::PathBuf>,
        key: impl Into<std::path::PathBuf>,
    ) -> Self {
        self.encryption.certificate_file = Some(certificate.into());
        self.encryption.key_file = Some(key.into());
        self
    }

    /// Where the time is read. Default [`SystemClock`]. Leases end by the server's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// What is accepted. Default [`Limits::default`].
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How long completed jobs are kept that do not say so themselves. Default [`Retention::COMPLETED`].
    pub const fn keep_completed(mut self, retention: Retention) -> Self {
        self.settings.keep_completed = retention;
        self
    }

    /// How long failed jobs are kept that do not say so themselves. Default [`Retention::FAILED`].
    pub const fn keep_failed(mut self, retention: Retention) -> Self {
        self.settings.keep_failed = retention;
        self
    }

    /// How many lost leases a job is forgiven before it fails. Default 10.
    pub const fn stall_limit(mut self, limit: u32) -> Self {
        self.settings.stall_limit = limit;
        self
    }

    /// How long one call may take, connecting included. Default 5 seconds.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// How often the engine looks for ended leases and outlived jobs. Default 5 seconds.
    pub const fn sweep_every(mut self, every: Duration) -> Self {
        self.settings.sweep_every = every;
        self
    }

    /// Events kept for slow subscribers. Default 1,024.
    pub const fn event_buffer(mut self, events: usize) -> Self {
        self.settings.events = events;
        self
    }

    /// Connects and checks the server.
    ///
    /// # Errors
    /// When the address cannot be used, the server does not answer, or it is older than 6.2.
    pub async fn connect(self) -> Result<RedisEngine, OpenError> {
        RedisEngine::connect_with(self).await
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
