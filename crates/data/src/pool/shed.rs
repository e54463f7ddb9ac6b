//! Whether it makes sense to wait for a connection.
//!
//! A request that will run out of time in the queue is better refused at once: it costs nothing, and the client can
//! come back when there is room.

use std::time::Duration;

/// How many leases must have ended before their mean says anything.
const ENOUGH: u32 = 8;

/// The weight of the latest lease in the mean.
const WEIGHT: f64 = 0.125;

/// A moving mean of how long connections are held.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HoldTime {
    mean: f64,
    leases: u32,
}

impl HoldTime {
    /// A lease ended.
    pub(super) fn add(&mut self, held: Duration) {
        let held = held.as_secs_f64();
        self.mean = if self.leases == 0 {
            held
        } else {
            self.mean + WEIGHT * (held - self.mean)
        };
        self.leases = self.leases.saturating_add(1);
    }

    /// The mean; nothing after too few leases.
    pub(super) fn mean(self) -> Option<Duration> {
        (self.leases >= ENOUGH).then(|| Duration::from_secs_f64(self.mean))
    }
}

/// How long somebody waits who comes when `ahead` others wait already and all `size` connections are out: they come
/// back one after the other, `size` of them in each `hold`.
pub(super) fn estimate(ahead: usize, size: usize, hold: Duration) -> Duration {
    let turns = u32::try_from(ahead.saturating_add(1)).unwrap_or(u32::MAX);
    let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
    hold.saturating_mul(turns) / size
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_queue_takes_its_turns() {
        let hold = Duration::from_millis(100);
        for (ahead, size, expected) in [(0, 1, 100), (9, 1, 1000), (9, 10, 100), (0, 10, 10)] {
            assert_eq!(estimate(ahead, size, hold), Duration::from_millis(expected));
        }
        assert!(estimate(usize::MAX, 0, Duration::MAX) > Duration::from_secs(1));
    }

    #[test]
    fn few_leases_say_nothing_and_old_ones_are_forgotten() {
        let mut hold = HoldTime::default();
        for _ in 0..7 {
            hold.add(Duration::from_secs(1));
        }
        assert_eq!(hold.mean(), None);
        hold.add(Duration::from_secs(1));
        assert_eq!(hold.mean(), Some(Duration::from_secs(1)));
        for _ in 0..100 {
            hold.add(Duration::from_millis(1));
        }
        assert!(hold.mean().expect("enough") < Duration::from_millis(2));
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_the_shortest_and_the_longest(held in prop::collection::vec(0_u64..10_000, 8..50)) {
            let mut hold = HoldTime::default();
            for millis in &held {
                hold.add(Duration::from_millis(*millis));
            }
            let mean = hold.mean().expect("enough").as_secs_f64() * 1000.0;
            let least = held.iter().min().copied().unwrap_or(0);
            let most = held.iter().max().copied().unwrap_or(0);
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let bounds = (least as f64 - 0.001)..=(most as f64 + 0.001);
            prop_assert!(bounds.contains(&mean), "{mean} of {held:?}");
        }
    }
}
