//! When a server that fails is left alone: data and `now` in, data out.

use std::time::Duration;

use super::super::super::Timestamp;

/// After so many failures in a row a server is not asked for a while; then one request tries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Timestamp>,
}

/// Failures in a row before the server is left alone.
pub(super) const FAILURES: u32 = 5;

impl Breaker {
    /// Whether to ask now. Of all who come after the rest, one asks; the others wait for what it finds, at
    /// most another rest.
    pub(super) fn admits(&mut self, now: Timestamp, rest: Duration) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.open_until = Some(now.saturating_add(rest));
                true
            }
        }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, now: Timestamp, rest: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.open_until = Some(now.saturating_add(rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_fails_is_left_alone_and_tried_by_one() {
        let (rest, at) = (Duration::from_secs(1), Timestamp::from_millis);
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert!(breaker.admits(at(0), rest));
            breaker.failed(at(0), rest);
        }
        assert!(!breaker.admits(at(0), rest));
        assert!(!breaker.admits(at(999), rest));
        assert!(breaker.admits(at(1_000), rest), "one tries");
        assert!(!breaker.admits(at(1_000), rest), "the others do not");
        breaker.failed(at(1_100), rest);
        assert!(!breaker.admits(at(2_099), rest));
        assert!(breaker.admits(at(2_100), rest));
        breaker.succeeded();
        assert!(breaker.admits(at(2_101), rest));
        breaker.failed(at(2_102), rest);
        assert!(breaker.admits(at(2_103), rest), "counting starts anew");
    }

    #[test]
    fn one_who_tries_and_never_comes_back_is_followed_by_another() {
        let (rest, at) = (Duration::from_secs(1), Timestamp::from_millis);
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            breaker.failed(at(0), rest);
        }
        assert!(breaker.admits(at(1_000), rest));
        assert!(breaker.admits(at(2_000), rest));
    }
}
