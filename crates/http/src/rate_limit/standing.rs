//! What a client has left.

#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderMap;
use smallvec::SmallVec;

use super::algorithm::{Gauge, Receipt, Verdict};
use super::headers::{self, HeaderDialect};
use super::{Limiter, Outcome, Policy};

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

pub(super) type Shares = SmallVec<[Share; 1]>;

/// Indices of shares, and what each costs.
pub(super) type Changes = SmallVec<[(usize, u32); 2]>;

/// What each share that is held costs after this outcome, where that differs from what was taken. `None` stands
/// for a request that never was.
pub(super) fn changes(policies: &[Policy], shares: &[Share], outcome: Option<Outcome>) -> Changes {
    let shares = shares.iter().enumerate();
    shares
        .filter_map(|(index, share)| {
            let held = share.held?;
            let cost = match outcome {
                Some(outcome) => policies[share.policy as usize]
                    .cost()
                    .of(outcome, held.units),
                None => 0,
            };
            (cost != held.units).then_some((index, cost))
        })
        .collect()
}

/// What each policy that applied has left for the client.
#[derive(Debug, Clone)]
pub struct Standing {
    source: Source,
    shares: Shares,
}

/// Where the policies are. The limiter itself where there is one: one handle then serves the standing and the
/// reservation it belongs to.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Limiter(Limiter),
    /// Of a limiter whose store is elsewhere.
    #[cfg(feature = "redis")]
    Policies(Arc<[Policy]>),
}

impl Source {
    fn policies(&self) -> &[Policy] {
        match self {
            Self::Limiter(limiter) => limiter.policies(),
            #[cfg(feature = "redis")]
            Self::Policies(policies) => policies,
        }
    }
}

impl Standing {
    pub(super) fn new(source: Source, shares: Shares) -> Self {
        Self { source, shares }
    }

    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }

    #[cfg(feature = "redis")]
    pub(super) fn shares_mut(&mut self) -> &mut [Share] {
        &mut self.shares
    }

    pub(super) fn policy(&self, number: u32) -> &Policy {
        &self.source.policies()[number as usize]
    }

    pub(super) fn max_of(&self, share: &Share) -> u32 {
        self.policy(share.policy).quota().max().get()
    }

    /// See [`changes`].
    #[cfg(feature = "redis")]
    pub(super) fn changes(&self, outcome: Option<Outcome>) -> Changes {
        changes(self.source.policies(), &self.shares, outcome)
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
