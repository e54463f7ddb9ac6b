//! Adds that are recognised as the same work.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::{InvalidName, check_text};

/// While a job holds the id, further adds under it give that job and add nothing.
///
/// | mode | until when | what a further add does |
/// |---|---|---|
/// | [`Deduplication::simple`] | the job ends or is removed | nothing |
/// | [`Deduplication::throttle`] | the time is over, even if the job ended | nothing |
/// | [`Deduplication::debounce`] | the time since the last add is over | takes the place of a job that is still delayed |
///
/// A removal by hand gives the id up in every mode. Ids belong to one queue.
///
/// ```
/// use paceline_jobs::{Deduplication, JobOptions};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), paceline_jobs::InvalidName> {
/// let wait = Duration::from_secs(5);
/// let last_edit_wins = JobOptions::new()
///     .delay(wait)
///     .deduplication(Deduplication::debounce("reindex-17", wait)?);
/// # let _ = last_edit_wins;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Deduplication {
    pub(crate) id: String,
    pub(crate) ttl: Option<Duration>,
    pub(crate) extend: bool,
    pub(crate) replace: bool,
    pub(crate) keep_last_if_active: bool,
}

impl Deduplication {
    /// Until the job that holds `id` has ended or was removed.
    ///
    /// # Errors
    /// When `id` is empty, longer than 255 bytes, or has control characters.
    pub fn simple(id: impl Into<String>) -> Result<Self, InvalidName> {
        let id = id.into();
        check_text("the deduplication id", &id, 255)?;
        Ok(Self {
            id,
            ttl: None,
            extend: false,
            replace: false,
            keep_last_if_active: false,
        })
    }

    /// At most one job in each `ttl`, counted from the add that was taken.
    ///
    /// # Errors
    /// As [`Deduplication::simple`].
    pub fn throttle(id: impl Into<String>, ttl: Duration) -> Result<Self, InvalidName> {
        Ok(Self::simple(id)?.ttl(ttl))
    }

    /// The newest of the adds that follow each other within `ttl`. Give the job a delay of the same length.
    ///
    /// # Errors
    /// As [`Deduplication::simple`].
    pub fn debounce(id: impl Into<String>, ttl: Duration) -> Result<Self, InvalidName> {
        Ok(Self::simple(id)?.ttl(ttl).extend().replace())
    }

    /// Holds the id for this long, whether the job has ended or not; at least 1 ms.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl.max(Duration::from_millis(1)));
        self
    }

    /// Each further add makes the time begin again.
    pub fn extend(mut self) -> Self {
        self.extend = true;
        self
    }

    /// A further add takes the place of the holder while that is still delayed.
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// While the holder is active the newest further add is kept, and added when the holder ends: work that
    /// began before the last change is done once more.
    pub fn keep_last_if_active(mut self) -> Self {
        self.keep_last_if_active = true;
        self
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }
}
