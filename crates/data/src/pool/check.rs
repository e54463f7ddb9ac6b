//! Whether a connection is checked before it is lent.
//!
//! A check costs a round trip, so it is made only where something may have happened unseen: the connection lay idle,
//! or the process was frozen since it was used.

use std::time::Duration;

use super::clock::Moment;

/// Clocks that disagree by more than this since the last use tell of a freeze (or of a wall clock that was set,
/// which costs one needless check).
const SKEW: Duration = Duration::from_millis(500);

/// Within one invocation nothing freezes; only firewalls and servers close what lies idle this long.
const IDLE_WITHIN_INVOCATION: Duration = Duration::from_secs(30);

/// When a connection was used last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) moment: Moment,
    /// The invocation it was used in; 0 where there are none.
    pub(super) invocation: u64,
}

/// Why a check is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The process was frozen.
    Frozen,
    /// It lay idle.
    Idle,
    /// The server said something on it.
    News,
}

/// Whether a connection that was used last at `used` is to be checked at `now`; `after_idle` is the option.
pub(super) fn doubt(used: Stamp, now: Stamp, after_idle: Duration) -> Option<Doubt> {
    if now.moment.skew(used.moment) > SKEW {
        return Some(Doubt::Frozen);
    }
    let same_invocation = now.invocation != 0 && now.invocation == used.invocation;
    let patience = if same_invocation {
        after_idle.max(IDLE_WITHIN_INVOCATION)
    } else {
        after_idle
    };
    (now.moment.since(used.moment) > patience).then_some(Doubt::Idle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clock::{Clock, ManualClock};
    use super::*;

    const AFTER: Duration = Duration::from_secs(1);

    fn verdict(seconds: f64, frozen: f64, invocations: (u64, u64)) -> Option<Doubt> {
        let clock = ManualClock::default();
        let used = Stamp {
            moment: clock.now(),
            invocation: invocations.0,
        };
        clock.advance(Duration::from_secs_f64(seconds));
        clock.freeze(Duration::from_secs_f64(frozen));
        let now = Stamp {
            moment: clock.now(),
            invocation: invocations.1,
        };
        doubt(used, now, AFTER)
    }

    #[test]
    fn what_was_just_used_is_trusted() {
        for (seconds, frozen, invocations, expected) in [
            (0.0, 0.0, (0, 0), None),
            (1.0, 0.0, (0, 0), None),
            (1.1, 0.0, (0, 0), Some(Doubt::Idle)),
            // A warm environment that is called again at once was hardly frozen.
            (0.5, 0.0, (1, 2), None),
            (1.1, 0.0, (1, 2), Some(Doubt::Idle)),
            (1.1, 0.0, (2, 2), None),
            (31.0, 0.0, (2, 2), Some(Doubt::Idle)),
            (0.0, 0.6, (2, 2), Some(Doubt::Frozen)),
            (0.0, 0.6, (0, 0), Some(Doubt::Frozen)),
            (0.0, 0.4, (0, 0), None),
        ] {
            let found = verdict(seconds, frozen, invocations);
            assert_eq!(
                found, expected,
                "{seconds} s, frozen {frozen} s, {invocations:?}"
            );
        }
    }

    proptest! {
        /// Whichever clock stood still: a second of silence never goes unchecked between invocations.
        #[test]
        fn no_freeze_goes_unseen(awake in 0.0..10.0_f64, frozen in 1.01..1e6_f64, before in 0..3_u64, after in 0..3_u64) {
            prop_assert!(verdict(awake, frozen, (before, after)).is_some());
            if before != after || after == 0 {
                prop_assert!(verdict(awake + frozen, 0.0, (before, after)).is_some());
            }
        }

        /// Waiting longer never makes a connection more trusted.
        #[test]
        fn doubt_only_grows(first in 0.0..100.0_f64, more in 0.0..100.0_f64, invocation in 0..2_u64) {
            if verdict(first, 0.0, (invocation, invocation)).is_some() {
                prop_assert!(verdict(first + more, 0.0, (invocation, invocation)).is_some());
            }
        }
    }
}
