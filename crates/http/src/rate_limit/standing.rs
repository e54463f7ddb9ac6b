//! What a client has left.

use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderMap;
use smallvec::SmallVec;

use super::algorithm::{Gauge, Receipt, Verdict};
use super::headers::{self, HeaderDialect};
use super::{Outcome, Policy};

/// Of one policy: what is left of it for one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) policy: u32,
    pub(super) remaining: u32,
    /// Whole seconds until more is available, rounded up.
    pub(super) resets_in: u32,
    /// Whole seconds until the next such request fits, rounded up; 0 when it fits now.
    pub(super) next_in: u32,
    /// What was taken for the request under way.
    pub(super) held: Option<Held>,
}

/// Units taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) receipt: Receipt,
    pub(super) units: u32,
}

impl Share {
    pub(super) fn new(policy: usize, verdict: &Verdict, held: Option<u32>) -> Self {
        Self {
            policy: u32::try_from(policy).expect("policies are counted in 32 bits by the store"),
            remaining: verdict.gauge.remaining,
            resets_in: seconds(verdict.gauge.more_in),
            next_in: seconds(verdict.next_in),
            held: held.map(|units| Held {
                receipt: verdict.receipt,
                units,
            }),
        }
    }

    pub(super) fn set_gauge(&mut self, gauge: Gauge) {
        self.remaining = gauge.remaining;
        self.resets_in = seconds(gauge.more_in);
    }
}

/// Rounded up.
fn seconds(duration: Duration) -> u32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

pub(super) type Shares = SmallVec<[Share; 2]>;

/// What each policy that applied has left for the client.
#[derive(Debug, Clone)]
pub struct Standing {
    policies: Arc<[Policy]>,
    shares: Shares,
}

impl Standing {
    pub(super) fn new(policies: Arc<[Policy]>, shares: Shares) -> Self {
        Self { policies, shares }
    }

    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }

    pub(super) fn shares_mut(&mut self) -> &mut [Share] {
        &mut self.shares
    }

    pub(super) fn policy(&self, number: u32) -> &Policy {
        &self.policies[number as usize]
    }

    pub(super) fn max_of(&self, share: &Share) -> u32 {
        self.policy(share.policy).quota().max().get()
    }

    /// What each share that is held costs after this outcome, where that differs from what was taken:
    /// the index of the share and the cost. `None` stands for a request that never was.
    pub(super) fn changes(&self, outcome: Option<Outcome>) -> SmallVec<[(usize, u32); 2]> {
        let shares = self.shares.iter().enumerate();
        shares
            .filter_map(|(index, share)| {
                let held = share.held?;
                let cost = match outcome {
                    Some(outcome) => self.policy(share.policy).cost().of(outcome, held.units),
                    None => 0,
                };
                (cost != held.units).then_some((index, cost))
            })
            .collect()
    }

    /// The share the next request is refused by, else the one with the least left; of several the one
    /// that is refilled last. There must be one.
    pub(super) fn scarcest(&self) -> &Share {
        let rank = |share: &&Share| {
            let fits = share.next_in == 0;
            (fits, share.remaining, u32::MAX - share.resets_in)
        };
        self.shares
            .iter()
            .min_by_key(rank)
            .expect("asked only when a policy applied")
    }

    /// Each policy that applied, with the units left and the time until there are more, in whole seconds
    /// rounded up.
    pub fn policies(&self) -> impl Iterator<Item = (&Policy, u32, Duration)> {
        self.shares.iter().map(|share| {
            let resets_in = Duration::from_secs(share.resets_in.into());
            (self.policy(share.policy), share.remaining, resets_in)
        })
    }

    /// Adds `RateLimit` and `RateLimit-Policy` with an item per policy that applied
    /// (draft-ietf-httpapi-ratelimit-headers-10); nothing when none did.
    ///
    /// Fields another limiter already wrote are kept, and these come after them.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        headers::write(self, HeaderDialect::Draft10, headers, || 0);
    }

    /// Adds the fields of a dialect. `unix_seconds` is the time of day, in seconds since 1970, and asked
    /// only by [`HeaderDialect::Legacy`].
    pub fn write_headers_as(
        &self,
        dialect: HeaderDialect,
        headers: &mut HeaderMap,
        unix_seconds: impl FnOnce() -> u64,
    ) {
        headers::write(self, dialect, headers, unix_seconds);
    }
}
