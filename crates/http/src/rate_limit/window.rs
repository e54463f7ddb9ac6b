//! The arithmetic of fixed windows: data and `now` in, data out.

use std::time::Duration;

use super::{Quota, Timestamp};

/// The state of one key under one policy: a window that began with the key's first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment that belongs to the next window.
    pub ends_at: Timestamp,
    /// Slots taken: requests counted, and requests under way.
    pub used: u32,
}

impl Window {
    /// How many more requests this window takes.
    pub fn remaining(self, quota: Quota) -> u32 {
        quota.max().get().saturating_sub(self.used)
    }

    /// How long until the window ends.
    pub fn resets_in(self, now: Timestamp) -> Duration {
        self.ends_at.saturating_since(now)
    }

    /// The window after one slot came back. Never below zero.
    #[must_use]
    pub fn refunded(self) -> Self {
        Self {
            used: self.used.saturating_sub(1),
            ..self
        }
    }
}

/// What [`decide`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// The state from now on.
    pub window: Window,
    /// Whether the request may go ahead; then its slot is counted in `window`.
    pub allowed: bool,
    /// Whether `window` is a new one: slots of the window before are gone.
    pub opened: bool,
}

/// The window `state` is in at `now`, and whether it is a new one. Takes no slot.
///
/// After the clock stepped back, the window ends at most one window's length from now.
pub fn current(now: Timestamp, state: Option<Window>, quota: Quota) -> (Window, bool) {
    let latest = now.saturating_add(quota.window());
    match state {
        Some(window) if now < window.ends_at => (
            Window {
                ends_at: window.ends_at.min(latest),
                ..window
            },
            false,
        ),
        _ => (
            Window {
                ends_at: latest,
                used: 0,
            },
            true,
        ),
    }
}

/// Whether a request at `now` fits into `quota`, given the key's state, and the state from then on.
///
/// A request that does not fit takes no slot.
pub fn decide(now: Timestamp, state: Option<Window>, quota: Quota) -> Decision {
    let (mut window, opened) = current(now, state, quota);
    let allowed = window.used < quota.max().get();
    window.used += u32::from(allowed);
    Decision {
        window,
        allowed,
        opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    fn quota(max: u32, seconds: u64) -> Quota {
        Quota::new(NonZeroU32::new(max).unwrap(), Duration::from_secs(seconds)).unwrap()
    }

    /// Requests at these milliseconds under 2 in 10 s, and which of them are allowed.
    fn check(moments: &[u64], expected: &[bool]) {
        let mut state = None;
        let found: Vec<bool> = moments
            .iter()
            .map(|at| {
                let decision = decide(Timestamp::from_millis(*at), state, quota(2, 10));
                state = Some(decision.window);
                decision.allowed
            })
            .collect();
        assert_eq!(found, expected, "{moments:?}");
    }

    #[test]
    fn a_window_begins_with_the_first_request_and_ends_to_the_millisecond() {
        check(&[0, 0, 0], &[true, true, false]);
        check(&[7_000, 16_999, 16_999, 17_000], &[true, true, false, true]);
        check(
            &[0, 9_999, 10_000, 10_000, 10_000],
            &[true, true, true, true, false],
        );
    }

    /// Trap 19 of the limits: the clock going backwards.
    #[test]
    fn trap_19_a_clock_that_steps_back_neither_frees_nor_locks_out() {
        check(
            &[1_000_000, 1_000_000, 0, 9_999, 10_000],
            &[true, true, false, false, true],
        );
        check(&[1_000_000, 999_000, 998_000], &[true, true, false]);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let largest = Quota::new(NonZeroU32::MAX, Quota::LONGEST_WINDOW).unwrap();
        let full = Window {
            ends_at: Timestamp::from_millis(u64::MAX),
            used: u32::MAX,
        };
        let decision = decide(Timestamp::from_millis(u64::MAX - 1), Some(full), largest);
        assert!(!decision.allowed);
        assert_eq!(decision.window.used, u32::MAX);
    }

    proptest! {
        /// Against a log of what was allowed: never more than `max` in a window, and a refusal only when
        /// the window is full; waiting as long as told is always enough.
        #[test]
        fn arithmetic_agrees_with_counting(
            max in 1u32..6, seconds in 1u64..4,
            steps in proptest::collection::vec((0u64..1_500, any::<bool>()), 1..80),
        ) {
            let quota = quota(max, seconds);
            let (mut now, mut state) = (0u64, None);
            let (mut began, mut slots): (u64, u32) = (0, 0);
            for (wait, refund) in steps {
                now += wait;
                let moment = Timestamp::from_millis(now);
                let decision = decide(moment, state, quota);
                if state.is_none() || now >= began + seconds * 1_000 {
                    (began, slots) = (now, 0);
                    prop_assert!(decision.opened);
                }
                prop_assert_eq!(decision.allowed, slots < max);
                slots += u32::from(decision.allowed);
                let mut window = decision.window;
                prop_assert_eq!(window.used, slots);
                prop_assert_eq!(window.remaining(quota), max - slots);
                if !decision.allowed {
                    let told = moment.saturating_add(window.resets_in(moment));
                    prop_assert!(decide(told, Some(window), quota).allowed);
                }
                if refund {
                    window = window.refunded();
                    slots = slots.saturating_sub(1);
                }
                state = Some(window);
            }
        }

        #[test]
        fn no_clock_makes_a_client_wait_longer_than_a_window(
            moments in proptest::collection::vec(any::<u64>(), 1..40),
        ) {
            let quota = quota(1, 3);
            let mut state = None;
            for now in moments.into_iter().map(Timestamp::from_millis) {
                let decision = decide(now, state, quota);
                prop_assert!(decision.window.resets_in(now) <= quota.window());
                prop_assert!(decision.window.used <= 1);
                state = Some(decision.window);
            }
        }
    }
}
