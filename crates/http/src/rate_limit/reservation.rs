//! Slots taken, and the refusal when one could not be.

use std::fmt;
use std::time::Duration;

use super::headers::HeaderDialect;
use super::standing::{self, Share, Shares, Source, Standing};
use super::{LimitKey, Limiter, Outcome, Policy, Timestamp};
use crate::problem::Problem;

/// The `type` of a quota that is used up, as registered by draft-ietf-httpapi-ratelimit-headers-10.
pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
const TITLE: &str = "Request cannot be satisfied as assigned quota has been exceeded";

/// What was taken from each policy that applied, for one request under way.
///
/// End it with [`settle`](Self::settle), [`keep`](Self::keep) or [`refund`](Self::refund). Dropping it
/// keeps what was taken: a client that hangs up before the answer has made its attempt.
#[derive(Debug)]
#[must_use = "say how the request ended: settle, keep or refund"]
pub struct Reservation {
    limiter: Limiter,
    shares: Shares,
    key: LimitKey,
}

impl Reservation {
    pub(super) fn new(limiter: Limiter, shares: Shares, key: LimitKey) -> Self {
        Self {
            limiter,
            shares,
            key,
        }
    }

    /// Ends the request by its outcome: each policy charges what it costs after all.
    pub fn settle(self, outcome: Outcome, now: Timestamp) -> Standing {
        self.end(Some(outcome), now)
    }

    /// Counts the request with its weight in every policy, however it ended.
    pub fn keep(self) -> Standing {
        Standing::new(Source::Limiter(self.limiter), self.shares)
    }

    /// Takes the request back in every policy: nothing was attempted after all.
    ///
    /// What was taken from a window that is over by now is not given back to the next one.
    pub fn refund(self, now: Timestamp) -> Standing {
        self.end(None, now)
    }

    /// Makes what is held cost what it costs after this outcome; nothing at all without one.
    fn end(mut self, outcome: Option<Outcome>, now: Timestamp) -> Standing {
        let store = self.limiter.store();
        for (index, cost) in standing::changes(self.limiter.policies(), &self.shares, outcome) {
            let share = &mut self.shares[index];
            let Some(held) = share.held.take() else {
                continue;
            };
            let (policy, change) = (share.policy as usize, (held.units, cost));
            if let Some(gauge) = store.settle(policy, self.key, held.receipt, change, now) {
                share.set_gauge(gauge);
            }
        }
        self.keep()
    }

    /// Whether how it ends makes no difference.
    pub(super) fn is_settled(&self) -> bool {
        let policies = self.limiter.policies();
        let mut shares = self.shares.iter();
        shares.all(|share| policies[share.policy as usize].cost().is_fixed())
    }
}

/// A limit is used up.
///
/// `Into<Problem>` makes it the 429 answer: code `rate-limit-exceeded`, the refusing policy's message as
/// `detail`, `violated-policies`, and the `Retry-After`, `RateLimit` and `RateLimit-Policy` fields.
#[derive(Debug, Clone)]
pub struct Exceeded(Box<Refusal>);

#[derive(Debug, Clone)]
struct Refusal {
    standing: Standing,
    refused_by: u32,
}

impl Exceeded {
    pub(super) fn new(standing: Standing, refused_by: u32) -> Self {
        Self(Box::new(Refusal {
            standing,
            refused_by,
        }))
    }

    /// The policy that refused the request.
    pub fn policy(&self) -> &Policy {
        self.0.standing.policy(self.0.refused_by)
    }

    /// How long to wait, in whole seconds, at least one: until such a request fits into every policy.
    pub fn retry_after(&self) -> Duration {
        let shares = self.0.standing.shares().iter();
        let seconds = shares.map(|share| share.next_in).max().unwrap_or(1);
        Duration::from_secs(seconds.max(1).into())
    }

    /// The same, so much later.
    #[cfg(feature = "redis")]
    pub(super) fn aged(&self, by: Duration) -> Self {
        let mut later = self.clone();
        let seconds = u32::try_from(by.as_secs()).unwrap_or(u32::MAX);
        for share in later.0.standing.shares_mut() {
            share.resets_in = share.resets_in.saturating_sub(seconds);
            share.next_in = share.next_in.saturating_sub(seconds);
        }
        later
    }

    /// What each policy that applies has left.
    pub fn standing(&self) -> &Standing {
        &self.0.standing
    }

    fn used_up(&self) -> impl Iterator<Item = &Share> {
        self.0.standing.shares().iter().filter(|share| {
            share.policy == self.0.refused_by
                || (share.policy > self.0.refused_by && share.next_in > 0)
        })
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, wait) = (self.policy().name(), self.retry_after().as_secs());
        write!(f, "the limit `{name}` is used up; try again in {wait} s")
    }
}

impl std::error::Error for Exceeded {}

impl Exceeded {
    /// The 429 answer with the fields of a dialect; see [`Standing::write_headers_as`].
    pub fn into_problem(
        self,
        dialect: HeaderDialect,
        unix_seconds: impl FnOnce() -> u64,
    ) -> Problem {
        let names: Vec<&str> = self
            .used_up()
            .map(|share| self.0.standing.policy(share.policy).name())
            .collect();
        let mut problem =
            Problem::too_many_requests(self.retry_after(), self.policy().message().to_owned())
                .with_type(QUOTA_EXCEEDED)
                .with_title(TITLE)
                .with_extension("violated-policies", names);
        self.standing()
            .write_headers_as(dialect, problem.headers_mut(), unix_seconds);
        problem
    }
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        exceeded.into_problem(HeaderDialect::Draft10, || 0)
    }
}
