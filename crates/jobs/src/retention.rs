//! How long finished jobs are kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// How many finished jobs of one queue are kept, and how long. Both bounds hold.
///
/// Defaults: completed 1,000 and 24 hours, failed 5,000 and 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The newest `count` finished jobs stay; 0 removes a job as it finishes.
    pub count: u32,
    /// A finished job older than this goes.
    pub age: Duration,
}

impl Retention {
    /// What completed jobs get unless told otherwise.
    pub const COMPLETED: Self = Self {
        count: 1_000,
        age: Duration::from_hours(24),
    };
    /// What failed jobs get unless told otherwise.
    pub const FAILED: Self = Self {
        count: 5_000,
        age: Duration::from_hours(7 * 24),
    };
    /// Finished jobs are removed at once.
    pub const NONE: Self = Self {
        count: 0,
        age: Duration::ZERO,
    };

    /// When a job that finished at `finished_at` has outlived its age.
    pub fn expires_at(&self, finished_at: Timestamp) -> Timestamp {
        finished_at.saturating_add(self.age)
    }

    /// How many of `kept` finished jobs are too many, at most `step` at a time.
    pub fn surplus(&self, kept: u64, step: u64) -> u64 {
        kept.saturating_sub(u64::from(self.count)).min(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surplus_is_removed_in_bounded_steps() {
        let three = Retention {
            count: 3,
            age: Duration::MAX,
        };
        for (kept, expected) in [(0, 0), (3, 0), (4, 1), (500, 100)] {
            assert_eq!(three.surplus(kept, 100), expected, "{kept} kept");
        }
        assert_eq!(
            three.expires_at(Timestamp::from_millis(1)).as_millis(),
            i64::MAX
        );
    }
}
