//! Time as the pool sees it: two clocks, read together.
//!
//! A process that was frozen (a Lambda environment between two invocations, a laptop's lid, `SIGSTOP`) may find that
//! its monotonic clock stood still while the wall clock went on. Which of the two stands still depends on who froze
//! it, so time that passed is the longer of both, and a difference between them tells of a freeze.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Never goes back; may stand still during a freeze.
    pub monotonic: Instant,
    /// Goes on during a freeze; may be set back and forth.
    pub wall: SystemTime,
}

impl Moment {
    /// How long ago `earlier` was: the longer of what the clocks say.
    ///
    /// ```
    /// use paceline_data::pool::Moment;
    /// use std::time::{Duration, Instant, SystemTime};
    ///
    /// let before = Moment { monotonic: Instant::now(), wall: SystemTime::now() };
    /// // Frozen for a minute: only the wall clock saw it.
    /// let after = Moment { wall: before.wall + Duration::from_secs(60), ..before };
    /// assert_eq!(after.since(before), Duration::from_secs(60));
    /// assert_eq!(after.skew(before), Duration::from_secs(60));
    /// ```
    pub fn since(self, earlier: Self) -> Duration {
        self.monotonic_since(earlier).max(self.wall_since(earlier))
    }

    /// By how much the clocks disagree about how long ago `earlier` was.
    pub fn skew(self, earlier: Self) -> Duration {
        self.wall_since(earlier)
            .abs_diff(self.monotonic_since(earlier))
    }

    fn monotonic_since(self, earlier: Self) -> Duration {
        self.monotonic.saturating_duration_since(earlier.monotonic)
    }

    /// Zero where the wall clock was set back.
    fn wall_since(self, earlier: Self) -> Duration {
        self.wall.duration_since(earlier.wall).unwrap_or_default()
    }
}

/// Where a pool reads the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present.
    fn now(&self) -> Moment;
}

/// The operating system's clocks (under a paused tokio runtime, its monotonic clock).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment {
            monotonic: tokio::time::Instant::now().into_std(),
            wall: SystemTime::now(),
        }
    }
}

/// Clocks that move only when told to. Clones share the same time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Moment>>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(SystemClock.now())))
    }
}

impl ManualClock {
    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let mut now = self.lock();
        now.monotonic += by;
        now.wall += by;
    }

    /// Time passes while the process is frozen: the monotonic clock does not see it.
    pub fn freeze(&self, by: Duration) {
        self.lock().wall += by;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_that_was_set_back_makes_nothing_younger() {
        let clock = ManualClock::default();
        let before = clock.now();
        clock.advance(Duration::from_secs(10));
        let mut now = clock.now();
        assert_eq!(
            (now.since(before), now.skew(before)),
            (Duration::from_secs(10), Duration::ZERO)
        );
        now.wall -= Duration::from_hours(1);
        assert_eq!(now.since(before), Duration::from_secs(10));
        assert_eq!(now.skew(before), Duration::from_secs(10));
    }
}
