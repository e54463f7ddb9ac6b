//! What was taken for a request, on the server or in its place.

use super::super::LimitKey;
use super::super::{Outcome, Reservation, Standing, Timestamp};
use super::SharedLimiter;

/// What was taken from each policy that applied, for one request under way.
///
/// End it with [`settle`](Self::settle), [`keep`](Self::keep) or [`refund`](Self::refund). Dropping it
/// keeps what was taken.
#[derive(Debug)]
#[must_use = "say how the request ended: settle, keep or refund"]
pub struct SharedReservation(pub(super) Place);

#[derive(Debug)]
pub(super) enum Place {
    /// On the server.
    Shared {
        limiter: SharedLimiter,
        standing: Standing,
        key: LimitKey,
    },
    /// In this process, in place of the server.
    Local(Reservation),
    /// Nowhere.
    Unlimited(Standing),
}

impl SharedReservation {
    /// Ends the request by its outcome. Asks the server only when the outcome changes what the request
    /// costs; when it cannot be asked, what was taken stays taken.
    pub async fn settle(self, outcome: Outcome, now: Timestamp) -> Standing {
        match self.0 {
            Place::Shared {
                limiter,
                standing,
                key,
            } => limiter.settle(standing, key, Some(outcome)).await,
            Place::Local(reservation) => reservation.settle(outcome, now),
            Place::Unlimited(standing) => standing,
        }
    }

    /// Counts the request with its weight in every policy, however it ended.
    pub fn keep(self) -> Standing {
        match self.0 {
            Place::Shared { standing, .. } | Place::Unlimited(standing) => standing,
            Place::Local(reservation) => reservation.keep(),
        }
    }

    /// Takes the request back in every policy: nothing was attempted after all.
    pub async fn refund(self, now: Timestamp) -> Standing {
        match self.0 {
            Place::Shared {
                limiter,
                standing,
                key,
            } => limiter.settle(standing, key, None).await,
            Place::Local(reservation) => reservation.refund(now),
            Place::Unlimited(standing) => standing,
        }
    }

    /// Whether the counts are the server's.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Place::Shared { .. })
    }
}
