//! What every store does.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_http::rate_limit::Cost;

use super::store::{ALGORITHMS, Store, keep, left, policy, quota};

#[tokio::test]
async fn a_quota_is_used_up_and_comes_back() {
    for algorithm in ALGORITHMS {
        for store in Store::both(&[policy("api", quota(algorithm, 3, 80))]) {
            let what = (algorithm, store.name());
            for _ in 0..3 {
                assert!(store.passes("a").await, "{what:?}");
            }
            let Err(exceeded) = store.reserve("a").await else {
                panic!("{what:?}: a fourth passed");
            };
            assert_eq!(exceeded.policy().name(), "api");
            assert!(store.passes("b").await, "{what:?}: another key");
            let second = Duration::from_secs(1);
            store
                .clock()
                .advance(exceeded.retry_after().saturating_sub(second));
            assert!(!store.passes("a").await, "{what:?}: told too much");
            store.clock().advance(Duration::from_secs(1));
            assert!(store.passes("a").await, "{what:?}: told too little");
        }
    }
}

#[tokio::test]
async fn policies_are_asked_in_order_and_all_are_told() {
    for algorithm in ALGORITHMS {
        let policies = [
            policy("many", quota(algorithm, 10, 800)),
            policy("few", quota(algorithm, 2, 80)).with_weight(NonZeroU32::new(2).unwrap()),
            policy("last", quota(algorithm, 10, 80)),
        ];
        for store in Store::both(&policies) {
            let what = (algorithm, store.name());
            let first = keep(store.reserve("a").await.ok().unwrap());
            let remaining: Vec<u32> = first.policies().map(|(_, left, _)| left).collect();
            assert_eq!(remaining, [9, 0, 9], "{what:?}");
            let exceeded = store.reserve("a").await.err().unwrap();
            assert_eq!(exceeded.policy().name(), "few", "{what:?}");
            // A refused attempt counts where it was asked before, and not after.
            let standing = exceeded.standing().policies();
            let remaining: Vec<u32> = standing.map(|(_, left, _)| left).collect();
            assert_eq!(remaining, [8, 0, 9], "{what:?}");
        }
    }
}

#[tokio::test]
async fn what_was_not_used_comes_back_and_what_cost_more_is_charged() {
    let by_size = Cost::by(|outcome, _| u32::try_from(outcome.body_bytes()).unwrap());
    for algorithm in ALGORITHMS {
        let policy = policy("bytes", quota(algorithm, 10, 80))
            .with_weight(NonZeroU32::new(4).unwrap())
            .with_cost(by_size.clone());
        for store in Store::both(&[policy]) {
            let what = (algorithm, store.name());
            let held = store.reserve("a").await.ok().unwrap();
            let standing = store.settle(held, 200, 1).await;
            assert_eq!(left(&standing)[0].0, 9, "{what:?}");
            let held = store.reserve("a").await.ok().unwrap();
            let standing = store.settle(held, 200, 7).await;
            assert_eq!(left(&standing)[0].0, 2, "{what:?}");
            assert!(!store.passes("a").await, "{what:?}: four do not fit");
            store.clock().advance(Duration::from_secs(100));
            let held = store.reserve("a").await.ok().unwrap();
            let standing = store.settle(held, 200, 4_000_000_000).await;
            assert_eq!(left(&standing)[0].0, 0, "{what:?}: never more than all");
            store.clock().advance(Duration::from_secs(90));
            assert!(store.passes("a").await, "{what:?}: and no debt beyond");
        }
    }
}

#[tokio::test]
async fn a_refunded_request_never_was() {
    for algorithm in ALGORITHMS {
        let policies = [
            policy("one", quota(algorithm, 1, 80)),
            policy("two", quota(algorithm, 5, 800)),
        ];
        for store in Store::both(&policies) {
            let what = (algorithm, store.name());
            let held = store.reserve("a").await.ok().unwrap();
            assert!(!store.passes("a").await, "{what:?}");
            let standing = store.refund(held).await;
            assert_eq!(left(&standing)[0].0, 1, "{what:?}");
            assert!(store.passes("a").await, "{what:?}");
        }
    }
}

/// Trap 19 of the limits: refund after reset.
#[tokio::test]
async fn trap_19_a_late_refund_gives_nothing_to_a_later_window() {
    for algorithm in ALGORITHMS {
        let policy = policy("login", quota(algorithm, 2, 8)).with_skip_successful(true);
        for store in Store::both(&[policy]) {
            let what = (algorithm, store.name());
            let late = store.reserve("a").await.ok().unwrap();
            store.clock().advance(Duration::from_secs(20));
            assert!(store.passes("a").await && store.passes("a").await);
            drop(store.settle(late, 200, 0).await);
            assert!(!store.passes("a").await, "{what:?}");
        }
    }
}

/// Trap 19 of the limits: refund never negative.
#[tokio::test]
async fn trap_19_refunds_never_make_more_than_the_quota() {
    for algorithm in ALGORITHMS {
        let policy = policy("login", quota(algorithm, 5, 80)).with_skip_successful(true);
        for store in Store::both(&[policy]) {
            for _ in 0..4 {
                let held = store.reserve("a").await.ok().unwrap();
                let standing = store.settle(held, 200, 0).await;
                assert_eq!(left(&standing)[0].0, 5, "{algorithm:?} {}", store.name());
            }
            let mut passed = 0;
            while store.passes("a").await {
                passed += 1;
            }
            assert_eq!(passed, 5, "{algorithm:?} {}", store.name());
        }
    }
}

/// Trap 19 of the limits: the clock going backwards.
#[tokio::test]
async fn trap_19_a_clock_that_steps_back_locks_nobody_out() {
    for algorithm in ALGORITHMS {
        for store in Store::both(&[policy("api", quota(algorithm, 2, 8))]) {
            let what = (algorithm, store.name());
            let origin = paceline_http::rate_limit::Clock::now(store.clock());
            store.clock().advance(Duration::from_hours(1));
            assert!(store.passes("a").await && store.passes("a").await);
            store.clock().set(origin);
            assert!(!store.passes("a").await, "{what:?}: nothing is freed");
            store.clock().advance(Duration::from_secs(9));
            assert!(store.passes("a").await, "{what:?}: nobody is locked out");
        }
    }
}

/// Trap 19 of the limits: the exact count at the boundary under 1,000 concurrent requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trap_19_a_thousand_concurrent_requests_get_exactly_the_quota() {
    for algorithm in ALGORITHMS {
        for store in Store::both(&[policy("api", quota(algorithm, 300, 3_600))]) {
            let tasks: Vec<_> = (0..1_000)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move { store.passes("a").await })
                })
                .collect();
            let mut passed = 0;
            for task in tasks {
                passed += u32::from(task.await.unwrap());
            }
            assert_eq!(passed, 300, "{algorithm:?} {}", store.name());
        }
    }
}

/// Trap 19 of the limits: the same with outcomes that give back. While requests run, what they hold is
/// taken: never more than the quota at the same time, and in the end exactly the failures count.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trap_19_a_thousand_concurrent_outcomes_are_counted_exactly() {
    for algorithm in ALGORITHMS {
        let policy = policy("login", quota(algorithm, 1_000, 3_600))
            .with_weight(NonZeroU32::new(2).unwrap())
            .with_skip_successful(true);
        for store in Store::both(&[policy]) {
            let tasks: Vec<_> = (0..1_000u32)
                .map(|number| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        let held = store.reserve("a").await.ok()?;
                        let status = if number % 5 == 0 { 401 } else { 200 };
                        drop(store.settle(held, status, 0).await);
                        Some(status)
                    })
                })
                .collect();
            let mut failed = 0;
            for task in tasks {
                failed += u32::from(task.await.unwrap() == Some(401));
            }
            let held = store.reserve("a").await.ok().unwrap();
            let standing = store.refund(held).await;
            let expected = 1_000 - 2 * failed;
            assert_eq!(
                left(&standing)[0].0,
                expected,
                "{algorithm:?} {}",
                store.name()
            );
        }
    }
}
