//! Connections kept for the next request.
//!
//! The one used last is taken first. One that lay unused for longer than [`TRUSTED`] is dropped instead of asked: HTTP
//! has no cheap question, and after a freeze the first byte would go nowhere. Both clocks count, as for the pool.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::connect::Sender;
use crate::pool::{Clock, Moment, SystemClock};

/// How long an unused connection is trusted. Servers and what stands before them keep idle ones for longer.
const TRUSTED: Duration = Duration::from_secs(20);

/// Those that lie ready.
#[derive(Debug)]
pub(super) struct Kept {
    ready: Mutex<Vec<(Sender, Moment)>>,
    most: usize,
}

impl Kept {
    pub(super) fn new(most: usize) -> Self {
        Self {
            ready: Mutex::default(),
            most,
        }
    }

    /// The one used last that can be trusted.
    pub(super) fn take(&self) -> Option<Sender> {
        let now = SystemClock.now();
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        // The last is the youngest: when it is too old, all are.
        while let Some((sender, used)) = ready.pop() {
            if !is_trusted(used, now) {
                ready.clear();
                return None;
            }
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    pub(super) fn put(&self, sender: Sender) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() < self.most && !sender.is_closed() {
            ready.push((sender, SystemClock.now()));
        }
    }
}

fn is_trusted(used: Moment, now: Moment) -> bool {
    now.since(used) <= TRUSTED && now.skew(used) <= TRUSTED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::ManualClock;

    #[test]
    fn a_freeze_ends_trust_whichever_clock_saw_it() {
        let clock = ManualClock::default();
        let used = clock.now();
        assert!(is_trusted(used, clock.now()));
        clock.freeze(TRUSTED + Duration::from_secs(1));
        assert!(!is_trusted(used, clock.now()));
    }
}
