//! Windows one after the other. The first begins with the key's first request, the next with the first
//! request after its end.

use std::time::Duration;

use super::{Change, Decision, Gauge, Quota, Receipt, State, Timestamp};

/// The window at `now`. After the clock stepped back it ends at most one window's length from now.
fn current(now: Timestamp, state: Option<State>, quota: Quota) -> State {
    let latest = now.saturating_add(quota.window());
    match state {
        Some(state) if now < state.at => State {
            at: state.at.min(latest),
            ..state
        },
        _ => State::new(latest),
    }
}

pub(super) fn decide(now: Timestamp, state: Option<State>, quota: Quota, cost: u32) -> Decision {
    let mut state = current(now, state, quota);
    let max = quota.max().get();
    let allowed = cost <= max.saturating_sub(state.count);
    if allowed {
        state.count += cost;
    }
    let remaining = max.saturating_sub(state.count);
    let more_in = state.at.saturating_since(now);
    Decision {
        state,
        allowed,
        gauge: Gauge { remaining, more_in },
        next_in: if cost <= remaining {
            Duration::ZERO
        } else {
            more_in
        },
        receipt: Receipt {
            at: state.at,
            count: 0,
            given_back: 0,
            since: now,
        },
    }
}

pub(super) fn settle(
    now: Timestamp,
    state: State,
    quota: Quota,
    receipt: Receipt,
    change: Change,
) -> Option<State> {
    let mut current = current(now, Some(state), quota);
    match change {
        Change::GiveBack(_) if current.at != receipt.at => return None,
        Change::GiveBack(units) => current.count = current.count.saturating_sub(units),
        Change::Charge(units) => {
            current.count = current.count.saturating_add(units).min(quota.max().get());
        }
    }
    Some(current)
}
