//! The server killed, frozen, and back.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, Response};
use paceline_http::client_ip::ClientAddress;
use paceline_http::rate_limit::shared::{Refused, SharedLimiter, SharedRateLimitLayer};
use paceline_http::rate_limit::store::redis::RedisStore;
use paceline_http::rate_limit::{
    Algorithm, Clock, FailMode, LimitKey, PathPrefix, Policy, SystemClock,
};
use tower::{Layer, ServiceExt, service_fn};

use super::server::Server;
use super::store::{policy, quota};

fn limit(name: &str, max: u32, mode: FailMode) -> Policy {
    policy(name, quota(Algorithm::FixedWindow, max, 3_600)).with_fail_mode(mode)
}

/// One policy for each mode, each with its path.
fn modes() -> [Policy; 3] {
    [FailMode::Open, FailMode::Closed, FailMode::Local].map(|mode| {
        let path = PathPrefix::new(&format!("/{}", mode.name())).unwrap();
        limit(mode.name(), 2, mode).with_path(path)
    })
}

async fn ask(layer: &SharedRateLimitLayer, path: &str) -> Response<Body> {
    let service = layer.layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    }));
    let mut request = Request::get(path).body(()).unwrap();
    let address = ClientAddress::new([192, 0, 2, 1].into());
    request.extensions_mut().insert(address);
    service.oneshot(request).await.unwrap()
}

async fn check(layer: &SharedRateLimitLayer, path: &str, status: u16, limits: &str) {
    let response = ask(layer, path).await;
    let told = response.headers().get("ratelimit");
    let told = told.map_or("", |value| value.to_str().unwrap());
    assert_eq!(
        (response.status().as_u16(), told),
        (status, limits),
        "{path}"
    );
    if status == 503 {
        assert_eq!(response.headers()["retry-after"], "1");
    }
}

/// Trap 19 of the limits: Redis dead, and back.
#[tokio::test]
async fn trap_19_without_its_server_each_policy_does_what_its_mode_says_until_it_is_back() {
    let server = Server::start();
    let limiter = SharedLimiter::new(server.store("p"), modes()).unwrap();
    let layer = SharedRateLimitLayer::new(limiter);
    for path in ["/open", "/closed", "/local"] {
        let name = &path[1..];
        check(&layer, path, 200, &format!("\"{name}\";r=1;t=3600")).await;
    }
    server.kill();
    for _ in 0..3 {
        check(&layer, "/open", 200, "").await;
        check(&layer, "/closed", 503, "").await;
    }
    // Each process counts for itself, from the beginning.
    check(&layer, "/local", 200, "\"local\";r=1;t=3600").await;
    check(&layer, "/local", 200, "\"local\";r=0;t=3600").await;
    check(&layer, "/local", 429, "\"local\";r=0;t=3600").await;

    assert!(server.run(), "it comes up again");
    let back = Instant::now();
    while ask(&layer, "/closed").await.status() == 503 {
        assert!(
            back.elapsed() < Duration::from_secs(20),
            "it is asked again"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What was answered before the kill is counted still: the second of two was taken just now.
    let refused = ask(&layer, "/closed").await;
    assert_eq!(refused.status(), 429);
}

/// A dead server costs nothing after a few requests: it is not asked.
#[tokio::test]
async fn a_server_that_fails_is_left_alone() {
    let server = Server::start();
    let options = server.options("p").rest(Duration::from_hours(1));
    let store = RedisStore::new(&options).unwrap();
    let limiter = SharedLimiter::new(store, [limit("api", 1_000, FailMode::Local)]).unwrap();
    let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
    assert!(limiter.reserve(key, clock.now()).await.unwrap().is_shared());
    server.kill();
    for _ in 0..100 {
        assert!(!limiter.reserve(key, clock.now()).await.unwrap().is_shared());
    }
    let statistics = limiter.store().statistics();
    assert_eq!((statistics.asked, statistics.failed), (6, 5));
}

/// Trap 19 of the limits: Redis slow. A request waits for the deadline and no longer, and what timed out
/// is not asked twice.
#[tokio::test]
async fn trap_19_a_server_that_does_not_answer_holds_nobody_up() {
    let server = Server::start();
    let options = server.options("p").deadline(Duration::from_millis(100));
    let store = RedisStore::new(&options.rest(Duration::from_hours(1))).unwrap();
    let closed = SharedLimiter::new(store, [limit("login", 1_000_000, FailMode::Closed)]).unwrap();
    let (key, clock) = (LimitKey::of("someone"), SystemClock::new());
    // Connecting may take longer than this deadline on a busy machine.
    let connected = Instant::now();
    while closed.reserve(key, clock.now()).await.is_err() {
        assert!(connected.elapsed() < Duration::from_secs(20));
    }
    let mut other = server.connection();
    let frozen = std::thread::spawn(move || {
        let _: Result<(), _> = redis::cmd("DEBUG").arg("SLEEP").arg(3).query(&mut other);
    });
    let frozen_within = Instant::now();
    let mut began = Instant::now();
    loop {
        assert!(frozen_within.elapsed() < Duration::from_secs(20));
        let refused = closed.reserve(key, clock.now()).await;
        if let Err(Refused::Unavailable(unavailable)) = refused {
            let cause = std::error::Error::source(&unavailable).unwrap().to_string();
            assert!(cause.contains("did not answer within 100ms"), "{cause}");
            assert!(began.elapsed() >= Duration::from_millis(100));
            assert!(
                began.elapsed() < Duration::from_secs(2),
                "{:?}",
                began.elapsed()
            );
            break;
        }
        began = Instant::now();
        tokio::task::yield_now().await;
    }
    frozen.join().unwrap();
}

/// A server that is away at the start is like one that goes away later.
#[tokio::test]
async fn a_server_that_was_never_there_does_not_stop_the_start() {
    let server = Server::start();
    server.kill();
    let limiter = SharedLimiter::new(server.store("p"), modes()).unwrap();
    let layer = SharedRateLimitLayer::new(limiter);
    check(&layer, "/local", 200, "\"local\";r=1;t=3600").await;
    check(&layer, "/closed", 503, "").await;
    check(&layer, "/elsewhere", 200, "").await;
    assert!(server.run());
    let back = Instant::now();
    while ask(&layer, "/closed").await.status() == 503 {
        assert!(back.elapsed() < Duration::from_secs(20), "it is asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a client does not know: the cause.
#[tokio::test]
async fn the_503_says_nothing_of_the_cause() {
    let server = Server::start();
    server.kill();
    let limiter = SharedLimiter::new(server.store("p"), modes()).unwrap();
    let response = ask(&SharedRateLimitLayer::new(limiter), "/closed").await;
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let body = axum::body::to_bytes(response.into_body(), 4_096)
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["code"], "unavailable");
    assert_eq!(
        document["type"],
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    );
    let text = document.to_string().to_lowercase();
    assert!(
        !text.contains("redis") && !text.contains("127.0.0.1"),
        "{text}"
    );
}
