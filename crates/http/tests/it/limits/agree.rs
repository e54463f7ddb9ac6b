//! Both stores, asked the same, answer the same, whatever is asked.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_http::rate_limit::{Cost, Policy};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::store::{ALGORITHMS, Held, Store, left, look, policy, quota};

/// One request or outcome.
#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    TurnBack(u64),
    Request(u8),
    /// Ends the request that has run longest, with a cost.
    End(u32),
}

/// A clock that only goes on, and two clients.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..3_000).prop_map(Step::Wait),
        8 => (0u8..2).prop_map(Step::Request),
        4 => (0u32..6).prop_map(Step::End),
    ]
}

/// A clock that is turned back, and one client: the memory store has forgotten what was over before, as soon as
/// somebody else came.
fn step_in_any_time() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..3_000).prop_map(Step::Wait),
        1 => (0u64..5_000).prop_map(Step::TurnBack),
        8 => Just(Step::Request(0)),
        4 => (0u32..6).prop_map(Step::End),
    ]
}

fn policies(most: usize) -> impl Strategy<Value = Vec<Policy>> {
    let one = (0usize..3, 1u32..8, 1u64..9, 1u32..4, 1u32..8);
    proptest::collection::vec(one, 1..=most).prop_map(|policies| {
        let numbered = policies.into_iter().enumerate();
        let make = |(number, (algorithm, max, seconds, weight, burst)): (usize, _)| {
            let algorithm = ALGORITHMS[algorithm];
            let mut quota = quota(algorithm, max, seconds);
            if algorithm == paceline_http::rate_limit::Algorithm::Gcra {
                let burst: u32 = burst;
                let burst = NonZeroU32::new(burst.min(max)).unwrap();
                quota = quota.with_burst(burst).unwrap();
            }
            let cost = Cost::by(|outcome, _| u32::try_from(outcome.body_bytes()).unwrap());
            policy(&format!("p{number}"), quota)
                .with_weight(NonZeroU32::new(weight).unwrap())
                .with_cost(cost)
        };
        numbered.map(make).collect()
    })
}

/// What one store says to the steps.
async fn play(store: &Store, steps: &[Step]) -> Vec<String> {
    let mut said = Vec::new();
    let mut running: std::collections::VecDeque<Held> = std::collections::VecDeque::new();
    for step in steps {
        match *step {
            Step::Wait(millis) => store.clock().advance(Duration::from_millis(millis)),
            Step::TurnBack(millis) => {
                let now = paceline_http::rate_limit::Clock::now(store.clock()).as_millis();
                let before = paceline_http::rate_limit::Timestamp::from_millis(now - millis);
                store.clock().set(before);
            }
            Step::Request(key) => match store.reserve(&key.to_string()).await {
                Ok(held) => {
                    running.push_back(held);
                    said.push("passes".to_owned());
                }
                Err(exceeded) => {
                    let wait = exceeded.retry_after().as_secs();
                    said.push(format!("{:?}", look(false, exceeded.standing(), wait)));
                }
            },
            Step::End(cost) => {
                if let Some(held) = running.pop_front() {
                    let standing = store.settle(held, 200, cost.into()).await;
                    said.push(format!("{:?}", left(&standing)));
                }
            }
        }
    }
    said
}

fn check(most_policies: usize, step: impl Strategy<Value = Step>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let steps = proptest::collection::vec(step, 1..60);
    let checked = runner.run(&(policies(most_policies), steps), |(policies, steps)| {
        runtime.block_on(async {
            let [memory, redis] = Store::both(&policies);
            let (expected, found) = (play(&memory, &steps).await, play(&redis, &steps).await);
            prop_assert_eq!(expected, found);
            Ok(())
        })
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}

#[test]
fn memory_and_redis_answer_the_same() {
    check(3, step());
}

#[test]
fn memory_and_redis_answer_the_same_when_the_clock_is_turned_back() {
    check(1, step_in_any_time());
}
