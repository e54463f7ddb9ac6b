//! The window that ends now, counted in cells of an eighth of its length.
//!
//! The cell under way and the eight before it always cover the window; all of them count whole. So the
//! count is never too low, and a request stops counting between one window and nine eighths of one after
//! it was made.

use std::time::Duration;

use super::{CELLS, Change, Decision, Gauge, Quota, Receipt, State, Timestamp, millis};

/// How long a cell is.
fn cell(quota: Quota) -> u64 {
    millis(quota.window()) / CELLS as u64
}

/// How long after its start a cell stops counting.
fn reach(quota: Quota) -> u64 {
    cell(quota) * (CELLS as u64 + 1)
}

/// The cells at `now`. When the clock stepped back they are all moved back with it.
fn current(now: Timestamp, state: Option<State>, quota: Quota) -> State {
    let cell = cell(quota);
    let start = Timestamp::from_millis(now.as_millis() / cell * cell);
    let Some(mut state) = state else {
        return State::new(start);
    };
    let passed = start.as_millis().saturating_sub(state.at.as_millis()) / cell;
    if passed > 0 {
        shift(&mut state, usize::try_from(passed).unwrap_or(usize::MAX));
    }
    state.at = start;
    state
}

/// Moves every cell back by `passed`.
fn shift(state: &mut State, passed: usize) {
    let old = state.cells;
    state.cells = [0; CELLS];
    if let Some(target) = state.cells.get_mut(passed..) {
        let kept = target.len();
        target.copy_from_slice(&old[..kept]);
    }
    if let Some(last) = state.cells.get_mut(passed - 1) {
        *last = state.count;
    }
    state.count = 0;
}

fn sum(state: &State) -> u32 {
    let cells = state.cells.iter();
    cells.fold(state.count, |sum, cell| sum.saturating_add(*cell))
}

/// How long until at least `units` of what counts have stopped counting. Zero for none.
fn until_freed(now: Timestamp, state: &State, quota: Quota, units: u32) -> Duration {
    if units == 0 {
        return Duration::ZERO;
    }
    let cell = cell(quota);
    let mut freed = 0u32;
    let mut age = CELLS as u64;
    for count in state.cells.iter().rev() {
        freed = freed.saturating_add(*count);
        if freed >= units {
            break;
        }
        age -= 1;
    }
    let left = Duration::from_millis(reach(quota) - age * cell);
    state.at.saturating_add(left).saturating_since(now)
}

pub(super) fn decide(now: Timestamp, state: Option<State>, quota: Quota, cost: u32) -> Decision {
    let mut state = current(now, state, quota);
    let max = quota.max().get();
    let allowed = cost <= max.saturating_sub(sum(&state));
    if allowed {
        state.count += cost;
    }
    let used = sum(&state);
    let remaining = max.saturating_sub(used);
    Decision {
        state,
        allowed,
        gauge: Gauge {
            remaining,
            more_in: until_freed(now, &state, quota, used.min(1)),
        },
        next_in: until_freed(now, &state, quota, cost.saturating_sub(remaining)),
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
        Change::GiveBack(units) => {
            let age = current.at.as_millis().checked_sub(receipt.at.as_millis())? / cell(quota);
            let count = match usize::try_from(age).ok()? {
                0 => &mut current.count,
                age => current.cells.get_mut(age - 1)?,
            };
            *count = count.saturating_sub(units);
        }
        Change::Charge(units) => {
            let room = quota.max().get().saturating_sub(sum(&current));
            current.count += units.min(room);
        }
    }
    Some(current)
}

pub(super) fn ends_at(state: &State, quota: Quota) -> Timestamp {
    state.at.saturating_add(Duration::from_millis(reach(quota)))
}
