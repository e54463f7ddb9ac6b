//! How many requests in how much time.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::Algorithm;

/// At most `max` units per `window`, counted by an [`Algorithm`]. A request is one unit unless its policy
/// weighs it.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use paceline_http::rate_limit::{Algorithm, Quota};
///
/// let quota = Quota::new(NonZeroU32::new(100).unwrap(), Duration::from_mins(15))?;
/// assert_eq!(quota.algorithm(), Algorithm::FixedWindow);
/// // Ten at once, then one every nine seconds.
/// let even = quota.with_burst(NonZeroU32::new(10).unwrap())?;
/// assert_eq!(even.algorithm(), Algorithm::Gcra);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    max: NonZeroU32,
    burst: NonZeroU32,
    window: Duration,
    algorithm: Algorithm,
}

impl Quota {
    /// The longest window: 365 days.
    pub const LONGEST_WINDOW: Duration = Duration::from_hours(365 * 24);

    /// A quota of `max` units per fixed `window`: whole seconds, from one second to 365 days, because the
    /// `RateLimit-Policy` field can say nothing finer.
    pub fn new(max: NonZeroU32, window: Duration) -> Result<Self, InvalidWindow> {
        let whole = window.subsec_nanos() == 0;
        if whole && !window.is_zero() && window <= Self::LONGEST_WINDOW {
            Ok(Self {
                max,
                burst: max,
                window,
                algorithm: Algorithm::default(),
            })
        } else {
            Err(InvalidWindow { window })
        }
    }

    /// Counts by another algorithm; GCRA with a burst of `max`.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            burst: self.max,
            ..self
        }
    }

    /// Counts by GCRA, with at most `burst` units at once. A burst above `max` is refused.
    pub fn with_burst(self, burst: NonZeroU32) -> Result<Self, InvalidBurst> {
        if burst > self.max {
            return Err(InvalidBurst {
                burst,
                max: self.max,
            });
        }
        Ok(Self {
            algorithm: Algorithm::Gcra,
            burst,
            ..self
        })
    }

    /// How many units a window holds.
    pub fn max(self) -> NonZeroU32 {
        self.max
    }

    /// How it is counted.
    pub fn algorithm(self) -> Algorithm {
        self.algorithm
    }

    /// How many units can be taken at once: GCRA's burst, else `max`.
    pub fn capacity(self) -> NonZeroU32 {
        self.burst
    }

    /// How long a window is.
    pub fn window(self) -> Duration {
        self.window
    }
}

/// A window that is not a whole number of seconds between one second and 365 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidWindow {
    window: Duration,
}

impl fmt::Display for InvalidWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a window of {:?} is not a whole number of seconds from 1 s to 365 days",
            self.window
        )
    }
}

impl std::error::Error for InvalidWindow {}

/// A burst above what the quota holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidBurst {
    burst: NonZeroU32,
    max: NonZeroU32,
}

impl fmt::Display for InvalidBurst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a burst of {} is above the quota's {}: give a smaller burst, or a larger quota",
            self.burst, self.max
        )
    }
}

impl std::error::Error for InvalidBurst {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_whole_seconds_within_bounds() {
        let check = |window: Duration, valid: bool| {
            assert_eq!(
                Quota::new(NonZeroU32::MIN, window).is_ok(),
                valid,
                "{window:?}"
            );
        };
        check(Duration::ZERO, false);
        check(Duration::from_millis(999), false);
        check(Duration::from_secs(1), true);
        check(Duration::from_millis(1_500), false);
        check(Quota::LONGEST_WINDOW, true);
        check(Quota::LONGEST_WINDOW + Duration::from_secs(1), false);
        check(Duration::MAX, false);
    }

    #[test]
    fn a_burst_is_part_of_the_quota() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let quota = Quota::new(number(10), Duration::from_secs(1)).unwrap();
        assert_eq!(quota.with_burst(number(10)).unwrap().capacity(), number(10));
        assert_eq!(quota.with_burst(number(1)).unwrap().capacity(), number(1));
        assert!(quota.with_burst(number(11)).is_err());
        let counted = quota.with_burst(number(1)).unwrap();
        let counted = counted.with_algorithm(Algorithm::SlidingWindow);
        assert_eq!(counted.capacity(), number(10));
    }
}
