//! What each algorithm promises, against a log of what was allowed.

use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;

const ALL: [Algorithm; 3] = [
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::Gcra,
];

fn quota(algorithm: Algorithm, max: u32, seconds: u64) -> Quota {
    Quota::new(NonZeroU32::new(max).unwrap(), Duration::from_secs(seconds))
        .unwrap()
        .with_algorithm(algorithm)
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Requests of one unit at these milliseconds, and which of them are allowed.
#[track_caller]
fn check(quota: Quota, moments: &[u64], expected: &[bool]) {
    let mut state = None;
    let found: Vec<bool> = moments
        .iter()
        .map(|millis| {
            let decision = decide(at(*millis), state, quota, 1);
            state = Some(decision.state);
            decision.allowed
        })
        .collect();
    assert_eq!(found, expected, "{quota:?} {moments:?}");
}

#[test]
fn a_fixed_window_begins_with_the_first_request_and_ends_to_the_millisecond() {
    let quota = quota(Algorithm::FixedWindow, 2, 10);
    check(quota, &[0, 0, 0], &[true, true, false]);
    check(
        quota,
        &[7_000, 16_999, 16_999, 17_000],
        &[true, true, false, true],
    );
    check(
        quota,
        &[0, 9_999, 10_000, 10_000, 10_000],
        &[true, true, true, true, false],
    );
}

#[test]
fn a_sliding_window_has_no_edge_to_use() {
    let quota = quota(Algorithm::SlidingWindow, 2, 8);
    // Two just before what would be an edge, and none just after it.
    check(
        quota,
        &[7_999, 7_999, 8_000, 15_999, 16_000, 16_000, 16_000],
        &[true, true, false, false, true, true, false],
    );
    // Cells of a second: what was taken at 0 counts until 9.
    check(
        quota,
        &[0, 500, 8_999, 9_000, 9_000, 9_000],
        &[true, true, false, true, true, false],
    );
    check(
        quota,
        &[0, 3_000, 9_000, 11_999, 12_000],
        &[true, true, true, false, true],
    );
}

#[test]
fn gcra_gives_one_unit_back_at_a_time() {
    let even = quota(Algorithm::Gcra, 10, 10);
    let even = even.with_burst(NonZeroU32::new(2).unwrap()).unwrap();
    check(
        even,
        &[0, 0, 0, 999, 1_000, 1_000, 3_000, 3_000, 3_000],
        &[true, true, false, false, true, false, true, true, false],
    );
    // A third of a second cannot be told in milliseconds, and is counted exactly all the same.
    let thirds = quota(Algorithm::Gcra, 3, 1);
    check(
        thirds,
        &[0, 0, 0, 333, 334, 666, 667, 999, 1_000],
        &[true, true, true, false, true, false, true, false, true],
    );
}

#[test]
fn a_client_is_told_what_is_left_and_when_there_will_be_more() {
    let check = |algorithm, moments: &[u64], remaining, more_in, next_in| {
        let quota = quota(algorithm, 4, 8);
        let mut state = None;
        let mut last = None;
        for millis in moments {
            let decision = decide(at(*millis), state, quota, 2);
            state = Some(decision.state);
            last = Some(decision);
        }
        let last = last.unwrap();
        let found = (
            last.gauge.remaining,
            last.gauge.more_in.as_millis(),
            last.next_in.as_millis(),
        );
        assert_eq!(found, (remaining, more_in, next_in), "{algorithm:?}");
    };
    check(Algorithm::FixedWindow, &[0], 2, 8_000, 0);
    check(Algorithm::FixedWindow, &[0, 3_000], 0, 5_000, 5_000);
    check(Algorithm::SlidingWindow, &[0], 2, 9_000, 0);
    check(Algorithm::SlidingWindow, &[0, 3_000], 0, 6_000, 6_000);
    check(Algorithm::Gcra, &[0], 2, 2_000, 0);
    check(Algorithm::Gcra, &[0, 1_000], 0, 1_000, 3_000);
    for algorithm in ALL {
        let quota = quota(algorithm, 4, 8);
        assert_eq!(gauge(at(5), None, quota).remaining, 4);
    }
}

#[test]
fn what_costs_more_than_the_quota_takes_all_of_it() {
    for algorithm in ALL {
        let quota = quota(algorithm, 3, 8);
        let all = decide(at(0), None, quota, u32::MAX);
        assert!(all.allowed && all.gauge.remaining == 0, "{algorithm:?}");
        assert!(!decide(at(1), Some(all.state), quota, 1).allowed);
        let nothing = decide(at(1), Some(all.state), quota, 0);
        assert!(nothing.allowed, "{algorithm:?}: nothing always fits");
    }
}

#[test]
fn a_cost_above_what_was_reserved_is_charged_up_to_the_quota() {
    for algorithm in ALL {
        let quota = quota(algorithm, 10, 80);
        let taken = decide(at(0), None, quota, 1);
        let charge = |cost| {
            settle(at(5), taken.state, quota, taken.receipt, 1, cost)
                .map(|state| gauge(at(5), Some(state), quota).remaining)
        };
        assert_eq!(charge(1), None, "{algorithm:?}");
        assert_eq!(charge(4), Some(6), "{algorithm:?}");
        assert_eq!(charge(4_000), Some(0), "{algorithm:?}");
    }
}

/// Trap 19 of the limits: the clock going backwards.
#[test]
fn trap_19_a_clock_that_steps_back_neither_frees_nor_locks_out() {
    for algorithm in ALL {
        let quota = quota(algorithm, 2, 8);
        check(
            quota,
            &[1_000_000, 1_000_000, 0, 0, 9_000],
            &[true, true, false, false, true],
        );
        // What GCRA has lent comes back later by as much as the clock stepped.
        let second = algorithm != Algorithm::Gcra;
        check(
            quota,
            &[1_000_000, 999_000, 998_000],
            &[true, second, false],
        );
    }
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    for algorithm in ALL {
        let largest = Quota::new(NonZeroU32::MAX, Quota::LONGEST_WINDOW)
            .unwrap()
            .with_algorithm(algorithm);
        for moment in [at(0), at(u64::MAX - 1), at(u64::MAX)] {
            let full = decide(moment, None, largest, u32::MAX);
            assert!(full.allowed, "{algorithm:?}");
            assert!(full.next_in <= Quota::LONGEST_WINDOW * 2, "{algorithm:?}");
            let _ = settle(moment, full.state, largest, full.receipt, u32::MAX, 0);
        }
    }
}

/// Trap 19 of the limits: a refund below zero.
#[test]
fn trap_19_a_refund_never_makes_more_than_the_quota() {
    for algorithm in ALL {
        let quota = quota(algorithm, 3, 8);
        let taken = decide(at(0), None, quota, 2);
        let mut state = taken.state;
        for _ in 0..3 {
            let back = settle(at(1), state, quota, taken.receipt, 2, 0);
            state = back.unwrap_or(state);
        }
        assert_eq!(gauge(at(1), Some(state), quota).remaining, 3);
        let next = decide(at(1), Some(state), quota, 3);
        assert!(next.allowed && next.gauge.remaining == 0, "{algorithm:?}");
    }
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![
        Just(Algorithm::FixedWindow),
        Just(Algorithm::SlidingWindow),
        Just(Algorithm::Gcra),
    ]
}

/// A request: how long after the one before, its cost, and after how many others it gives back how much.
type Step = (u64, u32, Option<(usize, u32)>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let back = proptest::option::of((0usize..4, 0u32..4));
    proptest::collection::vec((0u64..1_500, 1u32..4, back), 1..80)
}

/// A request that was allowed.
#[derive(Clone, Copy)]
struct Allowed {
    at: u64,
    cost: u32,
    receipt: Receipt,
}

/// Plays the steps and answers what was kept, by time; checks on the way that no refusal lies.
fn kept(quota: Quota, steps: &[Step]) -> Result<Vec<(u64, u32)>, TestCaseError> {
    let (mut now, mut state) = (0, None);
    let mut allowed: Vec<Allowed> = Vec::new();
    let mut given_back: Vec<(usize, usize, u32)> = Vec::new();
    for (wait, cost, back) in steps {
        now += wait;
        let decision = decide(at(now), state, quota, *cost);
        state = Some(decision.state);
        let cost = (*cost).min(quota.capacity().get());
        if decision.allowed {
            if let Some((after, units)) = back {
                given_back.push((allowed.len() + after, allowed.len(), (*units).min(cost)));
            }
            allowed.push(Allowed {
                at: now,
                cost,
                receipt: decision.receipt,
            });
        } else {
            let told = at(now).saturating_add(decision.next_in);
            prop_assert!(decide(told, state, quota, cost).allowed, "told too little");
            let early = Timestamp::from_millis(told.as_millis() - 1);
            prop_assert!(!decide(early, state, quota, cost).allowed, "told too much");
        }
        let due = allowed.len();
        for (_, index, units) in given_back.extract_if(.., |(when, ..)| *when < due) {
            let request = &mut allowed[index];
            let left = request.cost - units;
            if let Some(settled) = state.and_then(|state| {
                settle(at(now), state, quota, request.receipt, request.cost, left)
            }) {
                state = Some(settled);
            }
            request.cost = left;
        }
    }
    Ok(allowed.iter().map(|one| (one.at, one.cost)).collect())
}

proptest! {
    /// Never more than the quota per window, whatever was given back in between.
    #[test]
    fn never_more_than_the_quota(
        algorithm in algorithm(), max in 1u32..8, burst in 1u32..8, seconds in 1u64..4, steps in steps(),
    ) {
        let mut quota = quota(algorithm, max, seconds);
        if algorithm == Algorithm::Gcra {
            quota = quota.with_burst(NonZeroU32::new(burst.min(max)).unwrap()).unwrap();
        }
        let window = seconds * 1_000;
        let kept = kept(quota, &steps)?;
        for (index, (from, _)) in kept.iter().enumerate() {
            let mut sum = 0u64;
            for (until, cost) in &kept[index..] {
                sum += u64::from(*cost);
                let span = until - from;
                match algorithm {
                    Algorithm::SlidingWindow if span < window => prop_assert!(sum <= max.into()),
                    Algorithm::FixedWindow if span < window => prop_assert!(sum <= u64::from(max) * 2),
                    // One unit every `window / max`, after the burst.
                    Algorithm::Gcra => prop_assert!(
                        sum.saturating_sub(quota.capacity().get().into()) * window
                            <= span * u64::from(max)
                    ),
                    _ => {}
                }
            }
        }
    }

    /// A fixed window agrees with counting.
    #[test]
    fn a_fixed_window_holds_exactly_the_quota(
        max in 1u32..6, seconds in 1u64..4, waits in proptest::collection::vec(0u64..1_500, 1..80),
    ) {
        let quota = quota(Algorithm::FixedWindow, max, seconds);
        let (mut now, mut state, mut began, mut slots) = (0u64, None, 0u64, 0u32);
        for wait in waits {
            now += wait;
            if state.is_none() || now >= began + seconds * 1_000 {
                (began, slots) = (now, 0);
            }
            let decision = decide(at(now), state, quota, 1);
            prop_assert_eq!(decision.allowed, slots < max);
            slots += u32::from(decision.allowed);
            prop_assert_eq!(decision.gauge.remaining, max - slots);
            state = Some(decision.state);
        }
    }

    /// Time only ever frees: what fits now fits later, and more does not become less.
    #[test]
    fn waiting_never_makes_it_worse(
        algorithm in algorithm(), max in 1u32..8, costs in proptest::collection::vec((0u64..900, 0u32..4), 1..30),
        waits in proptest::collection::vec(0u64..900, 1..30),
    ) {
        let quota = quota(algorithm, max, 3);
        let (mut now, mut state) = (0, None);
        for (wait, cost) in costs {
            now += wait;
            state = Some(decide(at(now), state, quota, cost).state);
        }
        let mut before = gauge(at(now), state, quota).remaining;
        for wait in waits {
            now += wait;
            let after = gauge(at(now), state, quota).remaining;
            prop_assert!(after >= before);
            before = after;
        }
        let over = ends_at(&state.unwrap(), quota);
        prop_assert_eq!(gauge(over.max(at(now)), state, quota).remaining, max);
    }

    /// With any clock whatever, nobody waits longer than the window and, sliding, a cell of it.
    #[test]
    fn no_clock_makes_a_client_wait_longer(
        algorithm in algorithm(), moments in proptest::collection::vec(any::<u64>(), 1..40),
    ) {
        let quota = quota(algorithm, 1, 8);
        let longest = match algorithm {
            Algorithm::SlidingWindow => Duration::from_secs(9),
            _ => quota.window(),
        };
        let mut state = None;
        for now in moments.into_iter().map(at) {
            let decision = decide(now, state, quota, 1);
            prop_assert!(decision.next_in <= longest);
            prop_assert!(decision.gauge.more_in <= longest);
            state = Some(decision.state);
        }
    }
}
