//! A rate limit's window: pure arithmetic.

use crate::clock::Timestamp;
use crate::settings::StartLimit;

/// The window that began last, and the jobs started in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) until: Timestamp,
    pub(super) used: u64,
}

impl Default for Window {
    /// One that ended long ago.
    fn default() -> Self {
        Self {
            until: Timestamp::from_millis(0),
            used: 0,
        }
    }
}

impl Window {
    /// A window that ends later than one begun now was begun by a clock that has stepped back since: over.
    fn in_force(&self, limit: StartLimit, now: Timestamp) -> bool {
        now < self.until && self.until <= now.saturating_add(limit.per)
    }

    /// How many jobs may be started now.
    pub(super) fn left(&self, limit: StartLimit, now: Timestamp) -> u64 {
        let max = u64::from(limit.max.get());
        if self.in_force(limit, now) {
            max.saturating_sub(self.used)
        } else {
            max
        }
    }

    /// Counts `started` jobs. The first begins a window.
    pub(super) fn count(&mut self, limit: StartLimit, started: u64, now: Timestamp) {
        if started == 0 {
            return;
        }
        if !self.in_force(limit, now) {
            self.until = now.saturating_add(limit.per);
            self.used = 0;
        }
        self.used += started;
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn limit(max: u32) -> StartLimit {
        StartLimit {
            max: NonZeroU32::new(max).unwrap(),
            per: Duration::from_millis(100),
        }
    }

    #[test]
    fn a_window_begins_with_its_first_job_and_ends_by_time() {
        let mut window = Window::default();
        assert_eq!(window.left(limit(3), at(1_000)), 3);
        window.count(limit(3), 0, at(1_000));
        assert_eq!(window, Window::default(), "no job begins no window");
        window.count(limit(3), 2, at(1_000));
        for (now, left) in [(1_000, 1), (1_099, 1), (1_100, 3)] {
            assert_eq!(window.left(limit(3), at(now)), left, "at {now}");
        }
        window.count(limit(3), 1, at(1_050));
        assert_eq!(window.left(limit(3), at(1_050)), 0);
        assert_eq!(window.until, at(1_100), "later jobs do not move its end");
    }

    #[test]
    fn a_bound_lowered_inside_a_window_holds_at_once() {
        let mut window = Window::default();
        window.count(limit(5), 3, at(1_000));
        assert_eq!(window.left(limit(2), at(1_001)), 0);
        assert_eq!(window.left(limit(9), at(1_001)), 6);
    }

    #[test]
    fn a_clock_that_steps_back_does_not_lengthen_a_window() {
        let mut window = Window::default();
        window.count(limit(1), 1, at(1_000_000));
        assert_eq!(window.left(limit(1), at(5)), 1);
    }
}
