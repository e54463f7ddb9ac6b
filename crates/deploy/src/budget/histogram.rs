//! Latencies in buckets, as Prometheus has them.

use std::time::Duration;

/// How many requests took up to how long.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// Upper bounds in seconds, ascending, each with the requests up to it; the last bound is infinite.
    buckets: Vec<(f64, f64)>,
    /// All their seconds together.
    sum: f64,
}

/// Two histograms have other bounds, or the later one has fewer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotComparable {
    /// Other bounds.
    #[error("the buckets of the two recordings differ: they are not of one server")]
    Bounds,
    /// Fewer requests.
    #[error(
        "the later recording has fewer requests than the earlier one: the server was started anew between them"
    )]
    Restarted,
}

impl Histogram {
    /// Of buckets with the requests up to each bound. `None` unless bounds and counts ascend and the last bound is
    /// infinite.
    pub fn new(buckets: Vec<(f64, f64)>, sum: f64) -> Option<Self> {
        let ascends = buckets
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let begins = buckets.first().is_some_and(|first| first.1 >= 0.0);
        let ends = buckets
            .last()
            .is_some_and(|last| last.0 == f64::INFINITY && last.1.is_finite());
        (ascends && begins && ends && sum.is_finite() && sum >= 0.0)
            .then_some(Self { buckets, sum })
    }

    /// Of single requests: each time has a bucket of its own, without width, so that a quantile is the time of a request.
    pub fn of_times(times: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        sorted.sort_by(f64::total_cmp);
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        let mut upto = 0.0;
        for &seconds in &sorted {
            let is_new = buckets.last().is_none_or(|last| last.0 < seconds);
            if is_new
                && buckets
                    .last()
                    .is_none_or(|last| last.0 < seconds.next_down())
            {
                buckets.push((seconds.next_down(), upto));
            }
            upto += 1.0;
            match buckets.last_mut() {
                Some(last) if !is_new => last.1 = upto,
                _ => buckets.push((seconds, upto)),
            }
        }
        buckets.push((f64::INFINITY, upto));
        Self {
            buckets,
            sum: sorted.iter().sum(),
        }
    }

    /// How many requests.
    pub fn count(&self) -> f64 {
        self.buckets.last().map_or(0.0, |last| last.1)
    }

    /// Seconds a request, on average; 0 without requests.
    pub fn mean(&self) -> f64 {
        if self.count() > 0.0 {
            self.sum / self.count()
        } else {
            0.0
        }
    }

    /// The seconds that a share of the requests stayed below, from 0 to 1. Within a bucket requests count as spread
    /// evenly, as `histogram_quantile` of Prometheus has it; beyond the last finite bound nothing is known, and that
    /// bound is the answer.
    pub fn quantile(&self, share: f64) -> f64 {
        let rank = share.clamp(0.0, 1.0) * self.count();
        let mut below = (0.0, 0.0);
        for &(bound, upto) in &self.buckets {
            if upto >= rank && upto > below.1 {
                if bound.is_infinite() {
                    return below.0;
                }
                return below.0 + (bound - below.0) * (rank - below.1) / (upto - below.1);
            }
            below = (bound, upto);
        }
        0.0
    }

    /// Whether a share lies beyond the last finite bound, so that its quantile is only a least value.
    pub fn is_beyond(&self, share: f64) -> bool {
        let finite = self
            .buckets
            .iter()
            .rev()
            .nth(1)
            .map_or(0.0, |bucket| bucket.1);
        share * self.count() > finite
    }

    /// Both together.
    pub fn with(&self, other: &Self) -> Result<Self, NotComparable> {
        self.combined(other, |a, b| a + b)
    }

    /// What came after an earlier recording of the same server.
    pub fn since(&self, earlier: &Self) -> Result<Self, NotComparable> {
        let left = self.combined(earlier, |a, b| a - b)?;
        Self::new(left.buckets, left.sum).ok_or(NotComparable::Restarted)
    }

    fn combined(&self, other: &Self, with: fn(f64, f64) -> f64) -> Result<Self, NotComparable> {
        let same = self.buckets.len() == other.buckets.len()
            && self
                .buckets
                .iter()
                .zip(&other.buckets)
                .all(|(a, b)| a.0.total_cmp(&b.0).is_eq());
        if !same {
            return Err(NotComparable::Bounds);
        }
        let buckets = self.buckets.iter().zip(&other.buckets);
        Ok(Self {
            buckets: buckets.map(|(a, b)| (a.0, with(a.1, b.1))).collect(),
            sum: with(self.sum, other.sum),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: [f64; 4]) -> Histogram {
        let bounds = [0.001, 0.01, 0.1, f64::INFINITY];
        Histogram::new(bounds.into_iter().zip(counts).collect(), 1.0).expect("ascending")
    }

    #[test]
    fn quantiles_lie_evenly_in_their_bucket() {
        for (counts, share, expected) in [
            ([10.0, 20.0, 20.0, 20.0], 0.5, 0.001),
            ([10.0, 20.0, 20.0, 20.0], 0.75, 0.005_5),
            ([0.0, 0.0, 100.0, 100.0], 0.95, 0.095_5),
            ([10.0, 10.0, 10.0, 20.0], 0.95, 0.1),
            ([0.0, 0.0, 0.0, 0.0], 0.95, 0.0),
        ] {
            let found = of(counts).quantile(share);
            assert!(
                (found - expected).abs() < 1e-12,
                "{counts:?} {share}: {found}"
            );
        }
        assert!(of([10.0, 10.0, 10.0, 20.0]).is_beyond(0.95));
        assert!(!of([10.0, 20.0, 20.0, 20.0]).is_beyond(0.99));
    }

    #[test]
    fn single_times_are_their_own_bounds() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let histogram = Histogram::of_times(&times);
        assert!((histogram.quantile(0.95) - 0.095).abs() < 1e-12);
        assert!((histogram.mean() - 0.050_5).abs() < 1e-12);
        assert!(!histogram.is_beyond(0.99));
        assert!(Histogram::of_times(&[]).count() < 1.0);
    }

    #[test]
    fn a_server_that_was_started_anew_is_noticed() {
        let (early, late) = (of([1.0, 2.0, 2.0, 2.0]), of([3.0, 9.0, 9.0, 9.0]));
        assert_eq!(late.since(&early).map(|left| left.count()), Ok(7.0));
        assert_eq!(early.since(&late), Err(NotComparable::Restarted));
        let other = Histogram::new(vec![(f64::INFINITY, 1.0)], 1.0).expect("ascending");
        assert_eq!(late.since(&other), Err(NotComparable::Bounds));
    }

    #[test]
    fn what_does_not_ascend_is_no_histogram() {
        for buckets in [
            vec![],
            vec![(0.1, 1.0)],
            vec![(0.1, 2.0), (f64::INFINITY, 1.0)],
            vec![(0.2, 1.0), (0.1, 1.0), (f64::INFINITY, 1.0)],
            vec![(f64::INFINITY, f64::NAN)],
        ] {
            assert_eq!(Histogram::new(buckets.clone(), 0.0), None, "{buckets:?}");
        }
    }
}
