//! How quotas are counted: data and `now` in, data out.
//!
//! | algorithm | what it promises | costs of it |
//! |---|---|---|
//! | [`FixedWindow`](Algorithm::FixedWindow) | at most `max` in a window that begins with a key's first request | across the edge of two windows, up to twice `max` within one window's length |
//! | [`SlidingWindow`](Algorithm::SlidingWindow) | at most `max` in **any** span as long as the window | a request counts up to an eighth of the window longer than it should; 32 bytes more a key |
//! | [`Gcra`](Algorithm::Gcra) | an even rate with bursts: at most `burst + max × span / window` in any span | a full burst and the refill during one window add up to `burst + max` |
//!
//! All three give back what was reserved and not used, charge what turned out to cost more, and bound the
//! wait of a client whatever the clock does.

mod fixed_window;
mod gcra;
mod sliding_window;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{Quota, Timestamp};

/// Cells a sliding window is divided into, besides the one under way. Windows are whole seconds, so a cell
/// is a whole number of milliseconds.
pub(super) const CELLS: usize = 8;

/// How requests are counted against a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// Windows one after the other, each beginning with a key's first request. The default, and what
    /// users of express-rate-limit expect.
    #[default]
    FixedWindow,
    /// The window ends now: whatever was counted within its length counts.
    SlidingWindow,
    /// The generic cell rate algorithm: one unit comes back every `window / max`.
    Gcra,
}

impl Algorithm {
    /// The name, as a configuration spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FixedWindow => "fixed-window",
            Self::SlidingWindow => "sliding-window",
            Self::Gcra => "gcra",
        }
    }
}

/// What is remembered of one key under one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Fixed window: its end. Sliding window: the start of the cell under way. GCRA: the moment at which
    /// everything taken has come back, in whole milliseconds.
    pub(super) at: Timestamp,
    /// Fixed window: what it holds. Sliding window: what the cell under way holds. GCRA: the part of a
    /// millisecond to add to `at`, in parts of `max`.
    pub(super) count: u32,
    /// GCRA: units given back so far, modulo 2^32.
    pub(super) given_back: u32,
    /// Sliding window: the cells before the one under way, the latest first.
    pub(super) cells: [u32; CELLS],
}

impl State {
    const fn new(at: Timestamp) -> Self {
        Self {
            at,
            count: 0,
            given_back: 0,
            cells: [0; CELLS],
        }
    }
}

/// What was taken, to give it back or to charge more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub(super) at: Timestamp,
    pub(super) count: u32,
    pub(super) given_back: u32,
    /// When it was taken.
    pub(super) since: Timestamp,
}

/// What a client is told about one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// Units left.
    pub remaining: u32,
    /// How long until more units are available: the end of a fixed window, the next cell that leaves a
    /// sliding one, the next unit of GCRA. Zero when everything is available.
    pub more_in: Duration,
}

/// What [`decide`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// The state from now on.
    pub state: State,
    /// Whether the request may go ahead; then its cost is counted in `state`.
    pub allowed: bool,
    /// What the client is told.
    pub gauge: Gauge,
    /// How long until one more request of this cost would be allowed; zero when it would be now.
    pub next_in: Duration,
    /// For [`settle`]; good only when the request was allowed.
    pub receipt: Receipt,
}

/// What a store answers: a [`Decision`] without the state, which stays there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// Whether the request may go ahead; then its cost is counted.
    pub allowed: bool,
    /// What the client is told.
    pub gauge: Gauge,
    /// How long until one more request of this cost would be allowed; zero when it would be now.
    pub next_in: Duration,
    /// For settling; good only when the request was allowed.
    pub receipt: Receipt,
}

impl From<&Decision> for Verdict {
    fn from(decision: &Decision) -> Self {
        Self {
            allowed: decision.allowed,
            gauge: decision.gauge,
            next_in: decision.next_in,
            receipt: decision.receipt,
        }
    }
}

/// Whether a request that costs `cost` units fits at `now`, given the key's state.
///
/// A request that does not fit takes nothing, and changes the state only when the clock stepped back. One that costs more than the quota ever holds takes all of
/// it.
pub fn decide(now: Timestamp, state: Option<State>, quota: Quota, cost: u32) -> Decision {
    let cost = cost.min(quota.capacity().get());
    let mut decision = match quota.algorithm() {
        Algorithm::FixedWindow => fixed_window::decide(now, state, quota, cost),
        Algorithm::SlidingWindow => sliding_window::decide(now, state, quota, cost),
        Algorithm::Gcra => gcra::decide(now, state, quota, cost),
    };
    if let Some(before) = state
        && !decision.allowed
        && !stepped_back(now, &before, quota)
    {
        decision.state = before;
    }
    decision
}

/// Whether the state is of a time that has not come yet.
fn stepped_back(now: Timestamp, state: &State, quota: Quota) -> bool {
    match quota.algorithm() {
        Algorithm::FixedWindow => state.at > now.saturating_add(quota.window()),
        Algorithm::SlidingWindow => state.at > now,
        Algorithm::Gcra => gcra::stepped_back(now, state, quota),
    }
}

/// The state at `now` after a request that took `reserved` units turned out to cost `cost`; `None` when
/// nothing changes.
///
/// Units go back only where they came from: never to a later window, and of GCRA's only those that have
/// not come back by themselves. What costs more is charged now, up to the whole quota: nobody owes more
/// than that.
pub fn settle(
    now: Timestamp,
    state: State,
    quota: Quota,
    receipt: Receipt,
    reserved: u32,
    cost: u32,
) -> Option<State> {
    let most = quota.capacity().get();
    let (reserved, cost) = (reserved.min(most), cost.min(most));
    let change = match reserved.checked_sub(cost) {
        Some(0) => return None,
        Some(back) => Change::GiveBack(back),
        None => Change::Charge(cost - reserved),
    };
    match quota.algorithm() {
        Algorithm::FixedWindow => fixed_window::settle(now, state, quota, receipt, change),
        Algorithm::SlidingWindow => sliding_window::settle(now, state, quota, receipt, change),
        Algorithm::Gcra => gcra::settle(now, state, quota, receipt, change),
    }
}

#[derive(Clone, Copy)]
enum Change {
    GiveBack(u32),
    Charge(u32),
}

/// What a client is told at `now`; takes nothing.
pub fn gauge(now: Timestamp, state: Option<State>, quota: Quota) -> Gauge {
    decide(now, state, quota, 0).gauge
}

/// From when on the state means the same as none.
pub fn ends_at(state: &State, quota: Quota) -> Timestamp {
    match quota.algorithm() {
        Algorithm::FixedWindow => state.at,
        Algorithm::SlidingWindow => sliding_window::ends_at(state, quota),
        Algorithm::Gcra => gcra::ends_at(state),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
