//! When a failed attempt is tried again: a pure function of the settings, the attempt and a random number.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest wait a backoff can give: 30 days. Longer results are cut to it.
pub const MAX_BACKOFF: Duration = Duration::from_hours(30 * 24);

/// How the wait grows from one failed attempt to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BackoffKind {
    /// The same wait after each failed attempt.
    Fixed,
    /// The wait doubles: `base`, `2 * base`, `4 * base`, and so on.
    Exponential,
}

/// The wait between a failed attempt and the next one. Without one the job is tried again at once.
///
/// ```
/// use paceline_jobs::Backoff;
/// use std::time::Duration;
///
/// let backoff = Backoff::exponential(Duration::from_secs(2));
/// assert_eq!(backoff.delay_after(3, 0.5), Duration::from_secs(8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Backoff {
    kind: BackoffKind,
    base: Duration,
    jitter: f64,
}

impl Backoff {
    /// The same wait after each failed attempt.
    pub const fn fixed(base: Duration) -> Self {
        Self {
            kind: BackoffKind::Fixed,
            base,
            jitter: 0.0,
        }
    }

    /// `base` after the first failed attempt, twice as long after each further one, at most [`MAX_BACKOFF`].
    pub const fn exponential(base: Duration) -> Self {
        Self {
            kind: BackoffKind::Exponential,
            base,
            jitter: 0.0,
        }
    }

    /// Takes a random part off each wait: with 0.5, waits lie between half and all of the full wait.
    /// Values outside 0 to 1 (and not-a-number) are brought to the nearest bound. Default 0.
    #[must_use]
    pub const fn with_jitter(mut self, fraction: f64) -> Self {
        self.jitter = if fraction >= 1.0 {
            1.0
        } else if fraction > 0.0 {
            fraction
        } else {
            0.0
        };
        self
    }

    /// How it grows, the first wait, and the random part.
    #[cfg(feature = "redis")]
    pub(crate) const fn parts(&self) -> (BackoffKind, Duration, f64) {
        (self.kind, self.base, self.jitter)
    }

    /// The wait after failed attempt number `attempt` (the first is 1); `random` lies in 0 to 1.
    pub fn delay_after(&self, attempt: u32, random: f64) -> Duration {
        let full = match self.kind {
            BackoffKind::Fixed => self.base,
            BackoffKind::Exponential => double(self.base, attempt.saturating_sub(1)),
        }
        .min(MAX_BACKOFF);
        let cut = self.jitter.clamp(0.0, 1.0) * random.clamp(0.0, 1.0);
        full.mul_f64(1.0 - cut).min(full)
    }
}

/// `base * 2^times`, or the longest duration there is.
fn double(base: Duration, times: u32) -> Duration {
    match 1_u32.checked_shl(times) {
        Some(factor) => base.saturating_mul(factor),
        None if base.is_zero() => Duration::ZERO,
        None => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(backoff: Backoff, attempt: u32, random: f64, expected_ms: u64) {
        assert_eq!(
            backoff.delay_after(attempt, random),
            Duration::from_millis(expected_ms),
            "{backoff:?} after attempt {attempt}"
        );
    }

    #[test]
    fn waits_grow_as_documented() {
        let fixed = Backoff::fixed(Duration::from_millis(100));
        let doubling = Backoff::exponential(Duration::from_millis(100));
        check(fixed, 1, 0.3, 100);
        check(fixed, 9, 0.3, 100);
        check(doubling, 1, 0.3, 100);
        check(doubling, 2, 0.3, 200);
        check(doubling, 5, 0.3, 1_600);
        check(doubling.with_jitter(0.5), 2, 1.0, 100);
        check(doubling.with_jitter(0.5), 2, 0.0, 200);
        check(doubling.with_jitter(7.0), 2, 1.0, 0);
        check(doubling.with_jitter(f64::NAN), 2, 1.0, 200);
        check(doubling, 64, 0.0, 30 * 24 * 60 * 60 * 1_000);
        check(Backoff::exponential(Duration::ZERO), 500, 0.0, 0);
    }

    proptest! {
        #[test]
        fn never_overflows_never_exceeds_the_cap_and_never_shrinks(
            base_ms in any::<u64>(), attempt in 1_u32..u32::MAX, random in 0.0_f64..=1.0, jitter in 0.0_f64..=1.0
        ) {
            let backoff = Backoff::exponential(Duration::from_millis(base_ms));
            let plain = backoff.delay_after(attempt, random);
            prop_assert!(plain <= MAX_BACKOFF);
            prop_assert!(backoff.delay_after(attempt.saturating_add(1), random) >= plain);
            let jittered = backoff.with_jitter(jitter).delay_after(attempt, random);
            prop_assert!(jittered <= plain);
            prop_assert!(jittered >= plain.mul_f64(1.0 - jitter).saturating_sub(Duration::from_micros(1)));
        }
    }
}
