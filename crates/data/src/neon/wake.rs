//! Which answers say that the database may be there in a moment.
//!
//! Neon stops a database that nobody uses and starts it for the next statement, which takes some hundred milliseconds.
//! Its proxy waits for that by itself; what it gives up is told in the answer. As it does, we do not try again what
//! trying does not mend: too many connections, no memory, wrong names and passwords.

use std::time::Duration;

use crate::pool::backoff;
use crate::postgres::connect::is_waking;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The database is starting: nothing was done.
    Starting,
    /// Something between the endpoint and the database failed: what was done is not known.
    Failed,
    /// Something that trying again does not change.
    Final,
}

/// What a status, and the SQLSTATE and the message beside it, say.
pub(super) fn said(status: u16, code: Option<&str>, message: &str) -> Said {
    match (status, code) {
        (400 | 500, _) if is_waking(message) => Said::Starting,
        (400, Some("57P03")) => Said::Starting,
        (400, Some(code)) if code.starts_with("08") && code != "08004" && code != "08P01" => {
            Said::Failed
        }
        (500 | 502 | 503 | 504, _) => Said::Failed,
        _ => Said::Final,
    }
}

/// How long to wait before the statement is sent again; nothing when it is not to be. `reads` says that it may be carried
/// out twice, `attempts` were made, `left` is what remains until the deadline, `random` is in 0..1.
pub(super) fn wait(
    said: Said,
    reads: bool,
    attempts: u32,
    left: Duration,
    random: f64,
) -> Option<Duration> {
    let may_try = match said {
        Said::Starting => true,
        Said::Failed => reads,
        Said::Final => false,
    };
    // A start takes some hundred milliseconds: the first wait is drawn from up to 100 ms.
    let wait = backoff::wait(attempts.saturating_add(1), left, random);
    wait.filter(|_| may_try)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        for (status, code, expected) in [
            (400, Some("57P03"), Said::Starting),
            (400, Some("08006"), Said::Failed),
            (503, None, Said::Failed),
            (500, None, Said::Failed),
            // As Neon's own proxy has it.
            (400, Some("53300"), Said::Final),
            (400, Some("53200"), Said::Final),
            (400, Some("42601"), Said::Final),
            (400, Some("40001"), Said::Final),
            (400, Some("3D000"), Said::Final),
            (400, Some("08P01"), Said::Final),
            (400, Some("28P01"), Said::Final),
            (400, None, Said::Final),
            (507, None, Said::Final),
            (413, None, Said::Final),
        ] {
            assert_eq!(said(status, code, "x"), expected, "{status} {code:?}");
        }
        let message = "Couldn't connect to compute node: timed out";
        assert_eq!(said(500, None, message), Said::Starting);
        assert_eq!(said(400, Some("XX000"), message), Said::Starting);
        assert_eq!(said(403, None, message), Said::Final);
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let left = Duration::from_secs(5);
        assert!(wait(Said::Starting, false, 1, left, 0.5).is_some());
        assert!(wait(Said::Failed, true, 1, left, 0.5).is_some());
        assert_eq!(wait(Said::Failed, false, 1, left, 0.5), None);
        assert_eq!(wait(Said::Final, true, 1, left, 0.5), None);
        assert_eq!(wait(Said::Starting, true, 1, Duration::ZERO, 0.5), None);
    }
}
