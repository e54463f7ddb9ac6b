//! What the store promises, the bound first of all.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;

use super::super::super::Algorithm;
use super::super::super::algorithm::{self, State};
use super::*;

fn quota(max: u32, seconds: u64) -> Quota {
    Quota::new(NonZeroU32::new(max).unwrap(), Duration::from_secs(seconds)).unwrap()
}

fn store(quotas: &[Quota], capacity: usize) -> MemoryStore {
    MemoryStore::new(quotas.iter().copied(), NonZeroUsize::new(capacity).unwrap())
}

fn key(number: u64) -> LimitKey {
    LimitKey::of(number.to_le_bytes())
}

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// Trap 20 of the limits: memory under a flood of keys.
#[test]
fn trap_20_ten_million_keys_stay_within_the_bound() {
    let check = |algorithm: Algorithm, keys: u64, bytes: usize| {
        let capacity = 50_000;
        let store = store(&[quota(5, 900).with_algorithm(algorithm)], capacity);
        for number in 0..keys {
            let key = LimitKey::from(std::net::IpAddr::from(
                (u128::from(number) << 72).to_be_bytes(),
            ));
            let moment = Timestamp::from_millis(number / 1_000);
            let verdict = store.reserve(0, key, 1, moment);
            assert!(verdict.allowed, "a new client is never refused");
        }
        assert!(store.len() <= capacity);
        assert!(store.len() > capacity * 9 / 10);
        let (found, bound) = (store.allocated_bytes(), capacity * bytes);
        assert!(found <= bound, "{algorithm:?}: {found} > {bound}");
    };
    check(Algorithm::FixedWindow, 10_000_000, 56);
    check(Algorithm::SlidingWindow, 1_000_000, 96);
    check(Algorithm::Gcra, 1_000_000, 56);
}

#[test]
fn the_default_capacity_takes_at_most_64_mib() {
    let entries = MemoryStore::DEFAULT_CAPACITY.get();
    let places = MOST_SHARDS * table::places(entries / MOST_SHARDS);
    let bytes = places * (size_of::<entry::Entry>() + size_of::<entry::Aside>());
    assert!(bytes <= 56 << 20, "{bytes}");
}

/// What is used of key `number` under policy `policy`.
fn used(store: &MemoryStore, policy: usize, number: u64, now: Timestamp) -> u32 {
    let left = store.peek(policy, key(number), 0, now).gauge.remaining;
    store.quotas[policy].capacity().get() - left
}

#[test]
fn what_is_over_goes_first_then_what_ends_first() {
    let (short, long) = (quota(1, 10), quota(1, 1_000));
    let store = store(&[short, long], 3);
    let check_used = |policy, number, now, expected, why| {
        assert_eq!(used(&store, policy, number, now), expected, "{why}");
    };
    let _ = store.reserve(0, key(1), 1, seconds(0));
    let _ = store.reserve(1, key(2), 1, seconds(0));
    let _ = store.reserve(0, key(3), 1, seconds(9));
    // Full. At 10 s the first window is over and makes room.
    let _ = store.reserve(0, key(4), 1, seconds(10));
    check_used(1, 2, seconds(10), 1, "the long window is kept");
    check_used(0, 3, seconds(10), 1, "the live short window is kept");
    // Full of live windows: key 3's ends first, at 19 s.
    let _ = store.reserve(1, key(5), 1, seconds(11));
    check_used(0, 3, seconds(11), 0, "what ended first is displaced");
    check_used(1, 2, seconds(11), 1, "the long window is kept still");
    check_used(0, 4, seconds(11), 1, "the later short window is kept");
    assert_eq!(store.len(), 3);
}

/// A key in use is not displaced by a flood, although it was the first to come: its end moves.
#[test]
fn a_key_in_use_outlives_a_flood_of_others() {
    for (algorithm, cost) in [(Algorithm::SlidingWindow, 1), (Algorithm::Gcra, 2)] {
        let quota = quota(1_000, 10).with_algorithm(algorithm);
        let store = store(&[quota], 100);
        let mut alone = None;
        for number in 0..900u64 {
            let now = Timestamp::from_millis(number * 10);
            let found = store.reserve(0, key(1_000_000), cost, now);
            let expected = algorithm::decide(now, alone, quota, cost);
            assert_eq!(found.gauge, expected.gauge, "{algorithm:?} {number}");
            alone = Some(expected.state);
            let _ = store.reserve(0, key(number), 1, now);
        }
        assert!(store.len() <= 100);
    }
}

/// Trap 19 of the limits: refunds after a reset, and refunds below zero.
#[test]
fn trap_19_a_slot_goes_back_only_to_the_window_it_came_from() {
    let store = store(&[quota(2, 10)], 2);
    let first = store.reserve(0, key(1), 1, seconds(0));
    let second = store.reserve(0, key(1), 1, seconds(10));
    let back = |receipt, now| {
        let gauge = store.settle(0, key(1), receipt, (1, 0), seconds(now));
        gauge.map(|gauge| gauge.remaining)
    };
    assert_eq!(back(first.receipt, 10), None, "its window is over");
    assert_eq!(used(&store, 0, 1, seconds(10)), 1);
    assert_eq!(back(second.receipt, 10), Some(2));
    assert_eq!(back(second.receipt, 10), Some(2));
    // Displaced and come back: another window, although it looks the same.
    let held = store.reserve(0, key(1), 1, seconds(11));
    let _ = store.reserve(0, key(2), 1, seconds(12));
    let _ = store.reserve(0, key(3), 1, seconds(13));
    let again = store.reserve(0, key(1), 1, seconds(14));
    assert_eq!(again.gauge.remaining, 1);
    assert_eq!(back(held.receipt, 14), None);
}

#[test]
fn policies_and_keys_are_counted_apart() {
    let store = store(&[quota(1, 10), quota(1, 10)], 10);
    assert!(store.reserve(0, key(1), 1, seconds(0)).allowed);
    assert!(!store.reserve(0, key(1), 1, seconds(0)).allowed);
    assert!(store.reserve(1, key(1), 1, seconds(0)).allowed);
    assert!(store.reserve(0, key(2), 1, seconds(0)).allowed);
}

#[test]
fn what_is_over_is_dropped_as_new_keys_come() {
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::Gcra,
    ] {
        let store = store(&[quota(1, 1).with_algorithm(algorithm)], 10_000);
        for number in 0..1_000 {
            let _ = store.reserve(0, key(number), 1, seconds(0));
        }
        for number in 1_000..3_000 {
            let _ = store.reserve(0, key(number), 1, seconds(number));
        }
        assert!(store.len() < 20, "{algorithm:?}: {} are held", store.len());
    }
}

/// Exact on several threads: every slot once, whatever the algorithm.
#[test]
fn threads_share_what_there_is() {
    for algorithm in [
        Algorithm::FixedWindow,
        Algorithm::SlidingWindow,
        Algorithm::Gcra,
    ] {
        let store = store(&[quota(1_000, 3_600).with_algorithm(algorithm)], 10_000);
        let allowed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..1_000)
                            .filter(|_| store.reserve(0, key(1), 2, seconds(0)).allowed)
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(allowed, 500, "{algorithm:?}");
    }
}

proptest! {
    /// Against the pure functions over a plain map: with room for all keys the store is exact; the
    /// structure holds up under any order of adding, ending, settling and displacing.
    #[test]
    fn the_table_agrees_with_a_map(
        steps in proptest::collection::vec(
            (0u64..12, 0usize..3, 0u64..4_000, 1u32..3, proptest::option::of(0u32..5)), 1..300,
        ),
    ) {
        let quotas = [
            quota(2, 5),
            quota(3, 16).with_algorithm(Algorithm::SlidingWindow),
            quota(3, 20).with_algorithm(Algorithm::Gcra),
        ];
        let (exact, tight) = (store(&quotas, 64), store(&quotas, 3));
        let mut model: HashMap<(u64, usize), State> = HashMap::new();
        let mut now = 0;
        for (number, policy, wait, cost, after) in steps {
            now += wait;
            let (quota, moment) = (quotas[policy], Timestamp::from_millis(now));
            let verdict = exact.reserve(policy, key(number), cost, moment);
            let before = model.get(&(number, policy)).copied();
            let decision = algorithm::decide(moment, before, quota, cost);
            let told = (verdict.allowed, verdict.gauge, verdict.next_in);
            prop_assert_eq!(told, (decision.allowed, decision.gauge, decision.next_in));
            let mut state = decision.state;
            if let Some(after) = after.filter(|_| verdict.allowed) {
                let gauge = exact.settle(policy, key(number), verdict.receipt, (cost, after), moment);
                let settled = algorithm::settle(moment, state, quota, decision.receipt, cost, after);
                let expected = settled.map(|state| algorithm::gauge(moment, Some(state), quota));
                prop_assert_eq!(gauge, expected);
                state = settled.unwrap_or(state);
            }
            model.insert((number, policy), state);
            let peeked = exact.peek(policy, key(number), 0, moment).gauge;
            prop_assert_eq!(peeked, algorithm::gauge(moment, Some(state), quota));
            let verdict = tight.reserve(policy, key(number), cost, moment);
            prop_assert!(verdict.gauge.remaining <= quota.capacity().get());
            prop_assert!(tight.len() <= 3);
        }
    }
}
