//! What lies on the server.

use std::time::Duration;

use paceline_http::rate_limit::shared::SharedLimiter;
use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};
use paceline_http::rate_limit::{Clock, LimitKey, Outcome, Policy, SystemClock};

use super::server::Server;
use super::store::{ALGORITHMS, policy, prefix, quota};

fn all() -> Vec<Policy> {
    ALGORITHMS
        .map(|algorithm| {
            policy(algorithm.name(), quota(algorithm, 2, 80)).with_skip_successful(true)
        })
        .to_vec()
}

fn keys(server: &Server, prefix: &str) -> Vec<(String, i64)> {
    let mut connection = server.connection();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{prefix}:*"))
        .query(&mut connection)
        .unwrap();
    keys.into_iter()
        .map(|key| {
            let lives = redis::cmd("PTTL").arg(&key).query(&mut connection).unwrap();
            (key, lives)
        })
        .collect()
}

/// Trap 19 of the limits: no key without a time to live, whatever happened to it; a cluster finds all keys
/// of one client in one slot.
#[tokio::test]
async fn trap_19_every_key_has_a_time_to_live_and_one_slot() {
    let (server, prefix, clock) = (Server::shared(), prefix(), SystemClock::new());
    let limiter = SharedLimiter::new(server.store(&prefix), all()).unwrap();
    let key = LimitKey::of("someone");
    let held = limiter.reserve(key, clock.now()).await.unwrap();
    let found = keys(&server, &prefix);
    assert_eq!(found.len(), 3);
    let tag = |key: &str| {
        let (_, rest) = key.split_once('{').unwrap();
        rest.split_once('}').unwrap().0.to_owned()
    };
    for (key, lives) in &found {
        assert!((1..=91_000).contains(lives), "{key} lives for {lives} ms");
        assert_eq!(tag(key), tag(&found[0].0), "one slot");
    }
    // -1 is the answer for a key that stays.
    let none_stays = || {
        let found = keys(&server, &prefix);
        assert!(found.iter().all(|(_, lives)| *lives != -1), "{found:?}");
    };
    let good = Outcome::new(http::StatusCode::OK, 0);
    let _ = held.settle(good, clock.now()).await;
    none_stays();
    // A refund of what is no longer there must not make a key that stays, or a quota that is larger.
    let held = limiter.reserve(key, clock.now()).await.unwrap();
    for (key, _) in keys(&server, &prefix) {
        let mut connection = server.connection();
        let _: () = redis::cmd("DEL").arg(key).query(&mut connection).unwrap();
    }
    let _ = held.settle(good, clock.now()).await;
    none_stays();
    let kept = limiter.reserve(key, clock.now()).await.unwrap().keep();
    assert!(kept.policies().all(|(_, remaining, _)| remaining == 1));
}

/// Trap 19 of the limits: the script flushed.
#[tokio::test]
async fn trap_19_a_server_that_forgot_the_script_is_told_it_again() {
    let server = Server::start();
    let limiter = SharedLimiter::new(server.store("p"), all()).unwrap();
    let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
    for expected in [1, 0] {
        let _: () = redis::cmd("SCRIPT")
            .arg("FLUSH")
            .query(&mut server.connection())
            .unwrap();
        let held = limiter.reserve(key, clock.now()).await.unwrap();
        assert!(held.is_shared());
        let standing = held.keep();
        assert!(standing.policies().all(|(_, left, _)| left == expected));
    }
}

#[tokio::test]
async fn one_request_is_one_round_trip_and_a_refused_key_none() {
    let server = Server::start();
    let policies = ALGORITHMS.map(|algorithm| policy(algorithm.name(), quota(algorithm, 2, 80)));
    let limiter = SharedLimiter::new(server.store("p"), policies).unwrap();
    let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
    for asked in 1..=2 {
        let held = limiter.reserve(key, clock.now()).await.unwrap();
        let _ = held
            .settle(Outcome::new(http::StatusCode::OK, 0), clock.now())
            .await;
        assert_eq!(limiter.store().statistics().asked, asked);
    }
    for denied in 0..5 {
        assert!(limiter.reserve(key, clock.now()).await.is_err());
        assert_eq!(limiter.store().statistics().asked, 3);
        assert_eq!(limiter.denied_here(), denied);
    }
    assert!(
        limiter
            .reserve(LimitKey::of("b"), clock.now())
            .await
            .is_ok()
    );
}

/// A local denial ends when the server would let the key pass.
#[tokio::test]
async fn a_key_refused_here_passes_when_its_time_has_come() {
    let server = Server::shared();
    for algorithm in ALGORITHMS {
        let policies = [policy("api", quota(algorithm, 1, 1))];
        let limiter = SharedLimiter::new(server.store(&prefix()), policies).unwrap();
        let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
        let _ = limiter.reserve(key, clock.now()).await.unwrap().keep();
        let refused = limiter.reserve(key, clock.now()).await;
        assert!(refused.is_err(), "{algorithm:?}");
        assert!(limiter.reserve(key, clock.now()).await.is_err());
        // By the server's clock and this one, which run alike: at most a window and a cell of it.
        let began = tokio::time::Instant::now();
        while limiter.reserve(key, clock.now()).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "{algorithm:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn two_processes_share_what_there_is() {
    let (server, prefix) = (Server::shared(), prefix());
    let one = |_| {
        let policies = [policy("api", quota(ALGORITHMS[0], 10, 3_600))];
        SharedLimiter::new(server.store(&prefix), policies).unwrap()
    };
    let [first, second] = [0, 1].map(one);
    let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
    let mut passed = 0;
    for _ in 0..10 {
        for limiter in [&first, &second] {
            passed += u32::from(limiter.reserve(key, clock.now()).await.is_ok());
        }
    }
    assert_eq!(passed, 10);
}

#[test]
fn what_is_no_address_is_refused_without_showing_it() {
    for url in ["", "127.0.0.1", "http://h", "redis://u:hunter2@:x"] {
        let error = RedisStore::new(&RedisOptions::new(url)).unwrap_err();
        let text = format!("{error} {error:?} {:?}", RedisOptions::new(url));
        assert!(text.contains("redis://host:port"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_quota_beyond_the_servers_arithmetic_is_refused() {
    let server = RedisStore::new(&RedisOptions::new("redis://127.0.0.1:1")).unwrap();
    let check = |max: u32, days: u64, fits: bool| {
        for algorithm in ALGORITHMS {
            let policies = [policy("big", quota(algorithm, max, days * 86_400))];
            let made = SharedLimiter::new(server.clone(), policies);
            assert_eq!(made.is_ok(), fits, "{max} in {days} days");
            if let Err(error) = made {
                assert!(error.to_string().contains("`big`"), "{error}");
            }
        }
    };
    check(52_000_000, 1, true);
    check(u32::MAX, 1, false);
    check(u32::MAX, 365, false);
    check(140_000, 365, true);
}
