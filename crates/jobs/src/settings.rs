//! What is set for a queue as a whole. Stored: it holds over restarts and for every process.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// At most this many jobs are started in each window, which begins with the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartLimit {
    /// Jobs in a window.
    pub max: NonZeroU32,
    /// How long the window is, at least 1 ms. Stored in whole milliseconds.
    #[serde(with = "millis")]
    pub per: Duration,
}

/// The bounds of one queue, and of each group in it. The default bounds nothing.
///
/// They hold exactly and from the next claim on: a window that has begun goes on under a new rate, and jobs
/// beyond a lowered concurrency are let end. A start counts for the rate whatever becomes of the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QueueSettings {
    /// Jobs active at the same time, over all workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<NonZeroU32>,
    /// Jobs started in a window, over all workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<StartLimit>,
    /// Jobs of one group active at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_concurrency: Option<NonZeroU32>,
    /// Jobs of one group started in a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_rate: Option<StartLimit>,
}

impl QueueSettings {
    /// At most `jobs` active at the same time; `None` for no bound.
    #[must_use]
    pub const fn concurrency(mut self, jobs: Option<NonZeroU32>) -> Self {
        self.concurrency = jobs;
        self
    }

    /// At most so many started in a window; `None` for no bound.
    #[must_use]
    pub const fn rate(mut self, limit: Option<StartLimit>) -> Self {
        self.rate = limit;
        self
    }

    /// At most `jobs` of one group active at the same time; `None` for no bound.
    #[must_use]
    pub const fn group_concurrency(mut self, jobs: Option<NonZeroU32>) -> Self {
        self.group_concurrency = jobs;
        self
    }

    /// At most so many of one group started in a window; `None` for no bound.
    #[must_use]
    pub const fn group_rate(mut self, limit: Option<StartLimit>) -> Self {
        self.group_rate = limit;
        self
    }
}

/// Durations as whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
