//! The generic cell rate algorithm (ITU-T I.371), exact: one unit comes back every `window / max`.
//!
//! What is remembered is the moment at which everything taken has come back. Spans are counted in parts of
//! a millisecond, `max` parts to one, so that the time one unit takes is a whole number of parts: the
//! window in milliseconds.

use std::time::Duration;

use super::{Change, Decision, Gauge, Quota, Receipt, State, Timestamp, millis};

/// A span in parts of `max` to a millisecond.
type Parts = u128;

struct Rate {
    /// Parts of a millisecond.
    max: Parts,
    /// Parts one unit takes to come back.
    unit: Parts,
    /// Parts the whole burst takes.
    burst: Parts,
}

impl Rate {
    fn new(quota: Quota) -> Self {
        let unit = Parts::from(millis(quota.window()));
        Self {
            max: quota.max().get().into(),
            unit,
            burst: unit * Parts::from(quota.capacity().get()),
        }
    }

    fn cost(&self, units: u32) -> Parts {
        self.unit * Parts::from(units)
    }

    /// Rounded up: whoever waits that long has waited enough.
    fn to_duration(&self, parts: Parts) -> Duration {
        let millis = parts.div_ceil(self.max);
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// From `now` to `at` and `count` parts.
    fn until(&self, now: Timestamp, at: Timestamp, count: u32) -> Parts {
        match at.as_millis().checked_sub(now.as_millis()) {
            Some(millis) => Parts::from(millis) * self.max + Parts::from(count),
            None => 0,
        }
    }
}

/// How long until everything has come back, at most as long as a whole burst takes, whatever the clock
/// did.
fn lead(now: Timestamp, state: Option<State>, rate: &Rate) -> Parts {
    state.map_or(0, |state| {
        rate.until(now, state.at, state.count).min(rate.burst)
    })
}

pub(super) fn stepped_back(now: Timestamp, state: &State, quota: Quota) -> bool {
    let rate = Rate::new(quota);
    rate.until(now, state.at, state.count) > rate.burst
}

fn state_of(now: Timestamp, lead: Parts, given_back: u32, rate: &Rate) -> State {
    let whole = u64::try_from(lead / rate.max).unwrap_or(u64::MAX);
    let mut state = State::new(now.saturating_add(Duration::from_millis(whole)));
    state.count = u32::try_from(lead % rate.max).expect("less than `max`, which has 32 bits");
    state.given_back = given_back;
    state
}

pub(super) fn decide(now: Timestamp, state: Option<State>, quota: Quota, cost: u32) -> Decision {
    let rate = Rate::new(quota);
    let mut lead = lead(now, state, &rate);
    let cost = rate.cost(cost);
    let allowed = lead + cost <= rate.burst;
    if allowed {
        lead += cost;
    }
    let used = lead.div_ceil(rate.unit);
    let state = state_of(now, lead, state.map_or(0, |state| state.given_back), &rate);
    Decision {
        state,
        allowed,
        gauge: Gauge {
            remaining: u32::try_from((rate.burst - lead) / rate.unit)
                .expect("at most the burst, which has 32 bits"),
            more_in: rate.to_duration(lead - used.saturating_sub(1) * rate.unit),
        },
        next_in: rate.to_duration((lead + cost).saturating_sub(rate.burst)),
        receipt: Receipt {
            at: state.at,
            count: state.count,
            given_back: state.given_back,
            since: now,
        },
    }
}

/// What goes back is what the client would have now, had the request never been: what came back by itself
/// meanwhile, while otherwise everything would have been back, is gone. Two bounds tell how much is left at
/// least, and the better one counts.
fn left_of(units: u32, now: Timestamp, state: &State, receipt: &Receipt, rate: &Rate) -> Parts {
    let all = rate.cost(units);
    // As long as so much was lent all the time, it has not come back. Others may have been given back.
    let moved = rate.cost(state.given_back.wrapping_sub(receipt.given_back));
    let lent = rate.until(now, receipt.at, receipt.count);
    // No more comes back than time passes.
    let passed = rate.until(receipt.since, now, 0);
    lent.saturating_sub(moved)
        .max(all.saturating_sub(passed))
        .min(all)
}

pub(super) fn settle(
    now: Timestamp,
    state: State,
    quota: Quota,
    receipt: Receipt,
    change: Change,
) -> Option<State> {
    let rate = Rate::new(quota);
    let before = lead(now, Some(state), &rate);
    let mut given_back = state.given_back;
    let after = match change {
        Change::GiveBack(units) => {
            let back = left_of(units, now, &state, &receipt, &rate);
            if back == 0 {
                return None;
            }
            given_back = given_back.wrapping_add(units);
            before.saturating_sub(back)
        }
        Change::Charge(units) => (before + rate.cost(units)).min(rate.burst),
    };
    Some(state_of(now, after, given_back, &rate))
}

pub(super) fn ends_at(state: &State) -> Timestamp {
    let parts = Duration::from_millis(u64::from(state.count > 0));
    state.at.saturating_add(parts)
}
