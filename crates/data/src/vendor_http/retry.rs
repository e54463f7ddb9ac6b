//! What may be sent again, and when.

use std::time::Duration;

use crate::pool::backoff;

/// How an attempt failed, as far as it matters for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no connection. Whether that may pass by itself.
    NotConnected {
        /// Refused, reset, timed out: yes. A bad certificate, a name nobody knows: no.
        may_pass: bool,
    },
    /// A connection that was kept turned out to be closed before anything of the request left.
    Unsent,
    /// The connection was lost when the request, or a part of it, had left.
    Lost,
}

/// How long to wait before the next attempt; nothing when there is to be none. `attempts` were made, `left` is what
/// remains until the deadline, `twice` says that the request may be executed twice, and `random` is in 0..1.
pub(super) fn wait(
    failure: Failure,
    attempts: u32,
    twice: bool,
    left: Duration,
    random: f64,
) -> Option<Duration> {
    let may_try = match failure {
        Failure::NotConnected { may_pass } => may_pass,
        // On a connection of its own, it is at most unsent as often as connections were kept.
        Failure::Unsent => return (!left.is_zero()).then_some(Duration::ZERO),
        Failure::Lost => twice,
    };
    if !may_try {
        return None;
    }
    backoff::wait(attempts.saturating_sub(1), left, random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_secs(5);

    #[test]
    fn what_left_is_sent_again_only_if_that_does_no_harm() {
        assert_eq!(wait(Failure::Lost, 1, false, LEFT, 0.5), None);
        assert!(wait(Failure::Lost, 1, true, LEFT, 0.5).is_some());
    }

    #[test]
    fn connecting_is_tried_again_while_it_may_pass_and_there_is_time() {
        let passing = Failure::NotConnected { may_pass: true };
        let first = wait(passing, 1, false, LEFT, 1.0);
        let third = wait(passing, 3, false, LEFT, 1.0);
        assert!(first < third, "{first:?} {third:?}");
        assert_eq!(wait(passing, 1, false, Duration::from_millis(1), 1.0), None);
        let final_one = Failure::NotConnected { may_pass: false };
        assert_eq!(wait(final_one, 1, true, LEFT, 1.0), None);
    }

    #[test]
    fn what_never_left_goes_out_again_at_once() {
        assert_eq!(
            wait(Failure::Unsent, 9, false, LEFT, 1.0),
            Some(Duration::ZERO)
        );
        assert_eq!(wait(Failure::Unsent, 1, false, Duration::ZERO, 1.0), None);
    }
}
