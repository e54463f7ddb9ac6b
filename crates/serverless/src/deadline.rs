//! When an invocation is cut off.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest a function may run, with room to spare: 90 minutes on managed instances, 15 elsewhere. What lies
/// further away is no time of day.
const LONGEST: Duration = Duration::from_hours(2);

/// When the platform ends the invocation; a request extension.
///
/// It is counted on the monotonic clock from the moment the event came in. An invocation is never frozen half way, so
/// that clock is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// The deadline at this instant.
    pub fn at(at: Instant) -> Self {
        Self { at }
    }

    /// The deadline that the header `Lambda-Runtime-Deadline-Ms` states in milliseconds since 1970. None when it is not
    /// known: the header is absent or no number, its time is over (an emulator sends the constant 600000), or it is
    /// further away than any function may run.
    pub fn read(header: Option<&str>, wall: SystemTime, now: Instant) -> Option<Self> {
        let since = Duration::from_millis(header?.trim().parse().ok()?);
        let left = UNIX_EPOCH.checked_add(since)?.duration_since(wall).ok()?;
        let is_plausible = !left.is_zero() && left <= LONGEST;
        is_plausible.then(|| Self { at: now + left })
    }

    /// The instant.
    pub fn instant(self) -> Instant {
        self.at
    }

    /// What is left at `now`; zero when it is over.
    pub fn remaining(self, now: Instant) -> Duration {
        self.at.saturating_duration_since(now)
    }

    /// When to answer at the latest, seen from `now`: `margin` before the end, and never more than half of what is left.
    pub fn answer_by(self, now: Instant, margin: Duration) -> Instant {
        let left = self.remaining(now);
        now + left.saturating_sub(margin.min(left / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_07_an_odd_deadline_is_unknown_not_over() {
        let now = Instant::now();
        let wall = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let read = |header: Option<&str>| {
            let deadline = Deadline::read(header, wall, now)?;
            Some(deadline.remaining(now).as_millis())
        };
        for (header, expected) in [
            (Some("1700000003000"), Some(3_000)),
            (Some(" 1700000900000 "), Some(900_000)),
            (None, None),
            (Some(""), None),
            (Some("soon"), None),
            (Some("-5"), None),
            (Some("600000"), None),
            (Some("1699999999999"), None),
            (Some("1700000000000"), None),
            (Some("1800000000000"), None),
            (Some("18446744073709551615"), None),
            (Some("99999999999999999999999"), None),
        ] {
            assert_eq!(read(header), expected, "{header:?}");
        }
    }

    #[test]
    fn the_answer_comes_before_the_end() {
        let now = Instant::now();
        let ms = Duration::from_millis;
        for (left, margin, expected) in [(3_000, 200, 2_800), (300, 200, 150), (0, 200, 0)] {
            let by = Deadline::at(now + ms(left)).answer_by(now, ms(margin));
            assert_eq!(by - now, ms(expected), "{left}");
        }
        let over = Deadline::at(now);
        assert_eq!(over.remaining(now + ms(5)), Duration::ZERO);
    }
}
