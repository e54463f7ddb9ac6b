//! Requests that come at the same time are asked together, and counted each for itself.

use futures_util::future::join_all;
use paceline_http::rate_limit::shared::SharedLimiter;
use paceline_http::rate_limit::{Algorithm, Clock, Cost, LimitKey, SystemClock};

use super::server::Server;
use super::store::{ALGORITHMS, Store, left, policy, quota};

/// Requests of many clients, in one call with others' outcomes, are answered as if each were alone.
#[tokio::test]
async fn what_is_asked_together_is_answered_as_if_alone() {
    let policies = ALGORITHMS.map(|algorithm| {
        let cost = Cost::by(|outcome, _| u32::try_from(outcome.body_bytes()).unwrap());
        policy(algorithm.name(), quota(algorithm, 5, 8)).with_cost(cost)
    });
    let [memory, redis] = Store::both(&policies);
    let client = |store: &Store, number: u32| {
        let store = store.clone();
        async move {
            let mut said = Vec::new();
            for turn in 0..8 {
                match store.reserve(&format!("c{number}")).await {
                    Ok(held) => {
                        let cost = u64::from((number + turn) % 4);
                        said.push(left(&store.settle(held, 200, cost).await));
                    }
                    Err(exceeded) => said.push(left(exceeded.standing())),
                }
            }
            said
        }
    };
    let found = join_all((0..100).map(|number| client(&redis, number))).await;
    for (number, found) in (0..).zip(found) {
        assert_eq!(found, client(&memory, number).await, "client {number}");
    }
}

fn limiter(server: &Server) -> SharedLimiter {
    let policies = [policy("api", quota(Algorithm::FixedWindow, 1_000, 3_600))];
    SharedLimiter::new(server.store("p"), policies).unwrap()
}

async fn remaining(limiter: &SharedLimiter) -> u32 {
    let now = SystemClock::new().now();
    let held = limiter.reserve(LimitKey::of("someone"), now).await.unwrap();
    assert!(held.is_shared());
    held.keep().policies().next().unwrap().1
}

#[tokio::test]
async fn what_comes_while_two_calls_are_under_way_is_one_call() {
    let server = Server::start();
    let limiter = limiter(&server);
    assert_eq!(remaining(&limiter).await, 999);
    let mut other = server.connection();
    let _: () = redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .query(&mut other)
        .unwrap();
    let mut found = join_all((0..64).map(|_| remaining(&limiter))).await;
    found.sort_unstable();
    assert!(found.into_iter().eq(935..999), "each is counted once");
    let statistics: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut other)
        .unwrap();
    let calls = statistics.lines().find_map(|line| {
        let (_, counts) = line.split_once("cmdstat_evalsha:calls=")?;
        counts.split_once(',')?.0.parse::<u32>().ok()
    });
    // Two alone, then what waits in halves.
    let calls = calls.expect("it was asked");
    assert!((3..=12).contains(&calls), "{calls} calls for 64 questions");
}

/// Who has gone before it was asked is not counted, and holds nobody up.
#[tokio::test]
async fn who_goes_while_it_waits_is_not_counted() {
    let server = Server::start();
    let limiter = limiter(&server);
    assert_eq!(remaining(&limiter).await, 999);
    for _ in 0..10 {
        let all = join_all((0..20).map(|_| remaining(&limiter)));
        tokio::select! {
            biased;
            _ = all => panic!("nothing is answered at once"),
            () = std::future::ready(()) => {}
        }
    }
    // Of each twenty at most the two that did not wait were asked.
    let left = remaining(&limiter).await;
    assert!((978..=998).contains(&left), "{left}");
}

/// A store outlives the runtime that asked it last, and those who waited in it.
#[test]
fn another_runtime_goes_on_where_one_was_stopped() {
    let server = Server::start();
    let limiter = limiter(&server);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    assert_eq!(first.block_on(remaining(&limiter)), 999);
    let waiting = limiter.clone();
    first.spawn(async move { join_all((0..20).map(|_| remaining(&waiting))).await });
    first.block_on(tokio::task::yield_now());
    drop(first);
    runtime().block_on(async {
        let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
        // The connection went with the first runtime, which the first request finds.
        let began = std::time::Instant::now();
        while !limiter.reserve(key, clock.now()).await.unwrap().is_shared() {
            assert!(began.elapsed() < std::time::Duration::from_secs(10));
        }
    });
}
