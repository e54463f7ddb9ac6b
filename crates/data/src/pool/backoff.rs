//! How long to wait before the next attempt to connect.
//!
//! Full jitter: the wait is drawn evenly from zero to a bound that doubles with each attempt, so that clients that
//! were thrown off together do not come back together.

use std::time::Duration;

/// The bound of the first wait.
const FIRST: Duration = Duration::from_millis(25);

/// The bound of every late wait.
const LAST: Duration = Duration::from_secs(1);

/// The wait after the failed attempt number `attempt` (from 0), when `remaining` is left; nothing when too little is
/// left for another attempt. `random` is in 0..1.
pub(crate) fn wait(attempt: u32, remaining: Duration, random: f64) -> Option<Duration> {
    if remaining < FIRST {
        return None;
    }
    let bound = FIRST
        .saturating_mul(2_u32.saturating_pow(attempt))
        .min(LAST)
        .min(remaining);
    Some(bound.mul_f64(random.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_double_up_to_a_second() {
        let most = |attempt| wait(attempt, Duration::from_mins(1), 1.0);
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(
            (most(0), most(1), most(3)),
            (millis(25), millis(50), millis(200))
        );
        assert_eq!((most(6), most(u32::MAX)), (millis(1000), millis(1000)));
        assert_eq!(wait(0, Duration::from_millis(24), 0.0), None);
    }

    proptest! {
        #[test]
        fn no_wait_outlasts_what_is_left(attempt: u32, remaining in 0_u64..100_000, random in 0.0..1.0_f64) {
            let remaining = Duration::from_millis(remaining);
            let wait = wait(attempt, remaining, random);
            prop_assert!(wait.is_none_or(|wait| wait <= remaining && wait <= LAST));
            prop_assert_eq!(wait.is_none(), remaining < FIRST);
        }
    }
}
