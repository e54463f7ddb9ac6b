//! How many requests in how much time.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// At most `max` requests per `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    max: NonZeroU32,
    window: Duration,
}

impl Quota {
    /// The longest window: 365 days.
    pub const LONGEST_WINDOW: Duration = Duration::from_hours(365 * 24);

    /// A quota of `max` requests per `window`: whole seconds, from one second to 365 days, because the
    /// `RateLimit-Policy` field can say nothing finer.
    pub fn new(max: NonZeroU32, window: Duration) -> Result<Self, InvalidWindow> {
        let whole = window.subsec_nanos() == 0;
        if whole && !window.is_zero() && window <= Self::LONGEST_WINDOW {
            Ok(Self { max, window })
        } else {
            Err(InvalidWindow { window })
        }
    }

    /// How many requests a window holds.
    pub fn max(self) -> NonZeroU32 {
        self.max
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
}
