//! How a worker is set, once it is started.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::outcome::JobError;

/// The wait before another attempt, by the attempt that failed and its error; `None` leaves it to the job.
pub(super) type CustomBackoff = Arc<dyn Fn(u32, &JobError) -> Option<Duration> + Send + Sync>;

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) concurrency: usize,
    pub(super) lease: Duration,
    pub(super) poll: Duration,
    /// Of jobs that have none of their own.
    pub(super) timeout: Option<Duration>,
    pub(super) backoff: Option<CustomBackoff>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 1,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(5),
            timeout: None,
            backoff: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("concurrency", &self.concurrency)
            .field("lease", &self.lease)
            .field("poll", &self.poll)
            .field("timeout", &self.timeout)
            .field("backoff", &self.backoff.as_ref().map(|_| "custom"))
            .finish()
    }
}
