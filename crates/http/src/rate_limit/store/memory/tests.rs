//! What the store promises, the bound first of all.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn quota(max: u32, seconds: u64) -> Quota {
    Quota::new(NonZeroU32::new(max).unwrap(), Duration::from_secs(seconds)).unwrap()
}

fn store(policies: usize, capacity: usize) -> MemoryStore {
    MemoryStore::new(policies, NonZeroUsize::new(capacity).unwrap())
}

fn key(number: u64) -> LimitKey {
    LimitKey::of(number.to_le_bytes())
}

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// Trap 20 of the limits: memory under a flood of keys.
#[test]
fn trap_20_two_million_keys_stay_within_the_bound() {
    let capacity = 50_000;
    let store = store(1, capacity);
    for number in 0..2_000_000u64 {
        let key = LimitKey::from(std::net::IpAddr::from(
            (u128::from(number) << 72).to_be_bytes(),
        ));
        let slot = store.reserve(
            0,
            quota(5, 900),
            key,
            Timestamp::from_millis(number / 1_000),
        );
        assert!(slot.taken, "a new client is never refused");
    }
    assert!(store.len() <= capacity);
    assert!(store.len() > capacity * 9 / 10);
    let bound = capacity * 64;
    assert!(
        store.allocated_bytes() <= bound,
        "{} > {bound}",
        store.allocated_bytes()
    );
}

#[test]
fn the_default_capacity_takes_at_most_64_mib() {
    let entries = MemoryStore::DEFAULT_CAPACITY.get();
    let shards = entries / MOST_SHARDS;
    let bytes = entries * 48 + MOST_SHARDS * shards.next_power_of_two() * 4;
    assert!(bytes <= 64 << 20, "{bytes}");
}

#[test]
fn what_is_over_goes_first_then_what_ends_first() {
    let store = store(2, 3);
    let (short, long) = (quota(1, 10), quota(1, 1_000));
    let check_used = |policy, quota, number, now, expected, why| {
        assert_eq!(
            store.peek(policy, quota, key(number), now).used,
            expected,
            "{why}"
        );
    };
    let _ = store.reserve(0, short, key(1), seconds(0));
    let _ = store.reserve(1, long, key(2), seconds(0));
    let _ = store.reserve(0, short, key(3), seconds(9));
    // Full. At 10 s the first window is over and makes room.
    let _ = store.reserve(0, short, key(4), seconds(10));
    check_used(1, long, 2, seconds(10), 1, "the long window is kept");
    check_used(0, short, 3, seconds(10), 1, "the live short window is kept");
    // Full of live windows: key 3's ends first, at 19 s.
    let _ = store.reserve(1, long, key(5), seconds(11));
    check_used(
        0,
        short,
        3,
        seconds(11),
        0,
        "the window that ended first is displaced",
    );
    check_used(1, long, 2, seconds(11), 1, "the long window is kept still");
    check_used(
        0,
        short,
        4,
        seconds(11),
        1,
        "the later short window is kept",
    );
    assert_eq!(store.len(), 3);
}

/// Trap 19 of the limits: refunds after a reset, and refunds below zero.
#[test]
fn trap_19_a_slot_goes_back_only_to_the_window_it_came_from() {
    let store = store(1, 2);
    let quota = quota(2, 10);
    let first = store.reserve(0, quota, key(1), seconds(0));
    let second = store.reserve(0, quota, key(1), seconds(10));
    assert_ne!(first.generation, second.generation);
    assert_eq!(
        store.refund(0, key(1), first.generation),
        None,
        "its window is over"
    );
    assert_eq!(store.peek(0, quota, key(1), seconds(10)).used, 1);
    assert_eq!(
        store
            .refund(0, key(1), second.generation)
            .map(|window| window.used),
        Some(0)
    );
    assert_eq!(
        store
            .refund(0, key(1), second.generation)
            .map(|window| window.used),
        Some(0)
    );
    // Displaced and come back: another window, although it looks the same.
    let held = store.reserve(0, quota, key(1), seconds(11));
    let _ = store.reserve(0, quota, key(2), seconds(12));
    let _ = store.reserve(0, quota, key(3), seconds(13));
    let again = store.reserve(0, quota, key(1), seconds(14));
    assert_eq!(again.window.used, 1);
    assert_eq!(store.refund(0, key(1), held.generation), None);
}

#[test]
fn policies_and_keys_are_counted_apart() {
    let store = store(2, 10);
    let quota = quota(1, 10);
    assert!(store.reserve(0, quota, key(1), seconds(0)).taken);
    assert!(!store.reserve(0, quota, key(1), seconds(0)).taken);
    assert!(store.reserve(1, quota, key(1), seconds(0)).taken);
    assert!(store.reserve(0, quota, key(2), seconds(0)).taken);
}

#[test]
fn windows_that_are_over_are_dropped_as_new_ones_come() {
    let store = store(1, 10_000);
    for number in 0..1_000 {
        let _ = store.reserve(0, quota(1, 1), key(number), seconds(0));
    }
    for number in 1_000..3_000 {
        let _ = store.reserve(0, quota(1, 1), key(number), seconds(number));
    }
    assert!(store.len() < 20, "{} windows are held", store.len());
}

proptest! {
    /// Against a plain map: with room for all keys the store is exact; the structure holds up under any
    /// order of adding, ending, refunding and displacing.
    #[test]
    fn the_table_agrees_with_a_map(
        steps in proptest::collection::vec((0u64..12, 0usize..2, 0u64..4, any::<bool>()), 1..300),
    ) {
        let quotas = [quota(2, 5), quota(3, 20)];
        let (exact, tight) = (store(2, 64), store(2, 3));
        let mut model: HashMap<(u64, usize), (u64, u32)> = HashMap::new();
        let mut now = 0;
        for (number, policy, wait, refund) in steps {
            now += wait;
            let quota = quotas[policy];
            let slot = exact.reserve(policy, quota, key(number), seconds(now));
            let state = model.entry((number, policy)).or_insert((now, 0));
            if now >= state.0 + quota.window().as_secs() {
                *state = (now, 0);
            }
            prop_assert_eq!(slot.taken, state.1 < quota.max().get());
            state.1 += u32::from(slot.taken);
            if refund && slot.taken {
                exact.refund(policy, key(number), slot.generation);
                state.1 -= 1;
            }
            prop_assert_eq!(exact.peek(policy, quota, key(number), seconds(now)).used, state.1);
            let slot = tight.reserve(policy, quota, key(number), seconds(now));
            prop_assert!(slot.window.used <= quota.max().get());
            prop_assert!(tight.len() <= 3);
        }
    }
}
