//! How old a connection may become.
//!
//! Judged when a connection is about to be lent: a task that closes old ones in the background would be frozen with
//! the process, and might close the one in use when it thaws.

use std::time::Duration;

use super::clock::Moment;

/// The part of its lifetime that a connection may lose by chance, so that connections that were opened together are
/// not replaced together.
const JITTER: f64 = 0.2;

/// The lifetime of one connection: `most`, less up to a fifth. `random` is in 0..1.
pub(super) fn lifetime(most: Duration, random: f64) -> Duration {
    most.mul_f64(1.0 - JITTER * random.clamp(0.0, 1.0))
}

/// Whether a connection opened at `opened` has reached its `lifetime`.
pub(super) fn is_over(opened: Moment, lifetime: Duration, now: Moment) -> bool {
    now.since(opened) >= lifetime
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clock::{Clock, ManualClock};
    use super::*;

    #[test]
    fn time_in_a_freeze_counts() {
        let clock = ManualClock::default();
        let opened = clock.now();
        clock.freeze(Duration::from_secs(59));
        assert!(!is_over(opened, Duration::from_mins(1), clock.now()));
        clock.freeze(Duration::from_secs(1));
        assert!(is_over(opened, Duration::from_mins(1), clock.now()));
    }

    proptest! {
        #[test]
        fn nothing_outlives_the_most_and_nothing_dies_before_four_fifths(most in 1_u64..100_000, random in 0.0..1.0_f64) {
            let most = Duration::from_secs(most);
            let lifetime = lifetime(most, random);
            prop_assert!(lifetime <= most && lifetime >= most.mul_f64(0.799));
        }
    }
}
