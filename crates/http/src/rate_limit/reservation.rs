//! Slots taken, and the refusal when one could not be.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::standing::{Share, Standing};
use super::{LimitKey, Policy};
use crate::problem::Problem;

/// The `type` of a quota that is used up, as registered by draft-ietf-httpapi-ratelimit-headers-10.
pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
const TITLE: &str = "Request cannot be satisfied as assigned quota has been exceeded";

/// A slot in each policy that applied, taken for one request under way.
///
/// End it with [`settle`](Self::settle), [`keep`](Self::keep) or [`refund`](Self::refund). Dropping it
/// keeps the slots: a client that hangs up before the answer has made its attempt.
#[derive(Debug)]
#[must_use = "say how the request ended: settle, keep or refund"]
pub struct Reservation {
    standing: Standing,
    key: LimitKey,
}

impl Reservation {
    pub(super) fn new(standing: Standing, key: LimitKey) -> Self {
        Self { standing, key }
    }

    /// Ends the request by the status of its answer: below 400, policies that skip successful requests
    /// get their slot back.
    pub fn settle(mut self, status: StatusCode) -> Standing {
        if status.as_u16() < 400 {
            self.standing.refund(self.key, Policy::skip_successful);
        }
        self.standing
    }

    /// Counts the request in every policy, however it ended.
    pub fn keep(self) -> Standing {
        self.standing
    }

    /// Takes the request back in every policy: nothing was attempted after all.
    ///
    /// A slot whose window is over by now is not given back to the next one.
    pub fn refund(mut self) -> Standing {
        self.standing.refund(self.key, |_| true);
        self.standing
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

    /// How long to wait, in whole seconds, at least one: until every policy that is used up now has a
    /// new window.
    pub fn retry_after(&self) -> Duration {
        let seconds = self
            .used_up()
            .map(|share| share.resets_in)
            .max()
            .unwrap_or(1);
        Duration::from_secs(seconds.max(1).into())
    }

    /// What each policy that applies has left.
    pub fn standing(&self) -> &Standing {
        &self.0.standing
    }

    fn used_up(&self) -> impl Iterator<Item = &Share> {
        self.0.standing.shares().iter().filter(|share| {
            share.policy == self.0.refused_by
                || (share.policy > self.0.refused_by && share.remaining == 0)
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

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        let names: Vec<&str> = exceeded
            .used_up()
            .map(|share| exceeded.0.standing.policy(share.policy).name())
            .collect();
        let mut problem = Self::too_many_requests(
            exceeded.retry_after(),
            exceeded.policy().message().to_owned(),
        )
        .with_type(QUOTA_EXCEEDED)
        .with_title(TITLE)
        .with_extension("violated-policies", names);
        exceeded.0.standing.write_headers(problem.headers_mut());
        problem
    }
}
