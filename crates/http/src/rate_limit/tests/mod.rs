//! Limits as a client meets them, over the layer.

use std::convert::Infallible;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::client_ip::ClientAddress;

mod costs;
mod dialects;
mod keys;

const HOUR: Duration = Duration::from_hours(1);

fn policy(name: &str, max: u32, window: Duration) -> Policy {
    let quota = Quota::new(NonZeroU32::new(max).unwrap(), window).unwrap();
    Policy::new(name, quota).unwrap()
}

fn at(path: &str) -> PathPrefix {
    PathPrefix::new(path).unwrap()
}

/// The documented limits: everything under /api/, and failed logins.
fn api_and_login() -> [Policy; 2] {
    [
        policy("api", 100, Duration::from_mins(15)).with_path(at("/api/")),
        policy("login", 5, HOUR)
            .with_path(at("/api/auth/login"))
            .with_skip_successful(true)
            .with_message("Too many failed logins."),
    ]
}

/// A server whose answer is the status the request names in its body.
struct Server {
    layer: RateLimitLayer,
    clock: FakeClock,
}

impl Server {
    fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        let clock = FakeClock::default();
        Self {
            layer: RateLimitLayer::new(policies).with_clock(clock.clone()),
            clock,
        }
    }

    async fn ask(&self, client: &str, path: &str, status: u16) -> Response<Body> {
        let service = self
            .layer
            .layer(service_fn(move |_: Request<()>| async move {
                let response = Response::builder()
                    .status(status)
                    .body(Body::empty())
                    .unwrap();
                Ok::<_, Infallible>(response)
            }));
        service.oneshot(request(client, path)).await.unwrap()
    }

    async fn check(&self, path: &str, status: u16, expected: u16, limits: &str) {
        let response = self.ask("192.0.2.1", path, status).await;
        assert_eq!(response.status().as_u16(), expected, "{path}");
        assert_eq!(field(response.headers(), "ratelimit"), limits, "{path}");
    }
}

fn request(client: &str, path: &str) -> Request<()> {
    let mut request = Request::builder().uri(path).body(()).unwrap();
    let address: IpAddr = client.parse().unwrap();
    request.extensions_mut().insert(ClientAddress::new(address));
    request
}

fn field<'headers>(headers: &'headers HeaderMap, name: &str) -> &'headers str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn answers_tell_where_the_client_stands() {
    let server = Server::new(api_and_login());
    let first = server.ask("192.0.2.1", "/api/posts?page=2", 200).await;
    assert_eq!(field(first.headers(), "ratelimit"), "\"api\";r=99;t=900");
    assert_eq!(
        field(first.headers(), "ratelimit-policy"),
        "\"api\";q=100;w=900"
    );
    assert!(!first.headers().contains_key("retry-after"));
    server.clock.advance(Duration::from_millis(1));
    server.check("/api", 404, 404, "\"api\";r=98;t=900").await;
    server.clock.advance(Duration::from_millis(999));
    server.check("/api/", 200, 200, "\"api\";r=97;t=899").await;
    server.check("/health/live", 200, 200, "").await;
}

#[tokio::test]
async fn a_login_counts_in_both_limits_and_the_fields_list_both() {
    let server = Server::new(api_and_login());
    let login = server.ask("192.0.2.1", "/api/auth/login", 401).await;
    assert_eq!(
        field(login.headers(), "ratelimit"),
        "\"api\";r=99;t=900, \"login\";r=4;t=3600"
    );
    let policies = "\"api\";q=100;w=900, \"login\";q=5;w=3600";
    assert_eq!(field(login.headers(), "ratelimit-policy"), policies);
}

#[tokio::test]
async fn the_sixth_failed_login_is_refused_and_successful_ones_do_not_count() {
    let server = Server::new(api_and_login());
    for left in (0..5).rev() {
        for _ in 0..3 {
            let limits = server.ask("192.0.2.1", "/api/auth/login", 200).await;
            assert!(
                field(limits.headers(), "ratelimit").contains(&format!("r={};t=3600", left + 1))
            );
        }
        let failed = server.ask("192.0.2.1", "/api/auth/login", 401).await;
        assert!(field(failed.headers(), "ratelimit").contains(&format!("r={left};t=3600")));
    }
    let refused = server.ask("192.0.2.1", "/api/auth/login", 200).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(field(refused.headers(), "retry-after"), "3600");
    // The refused attempt still counted under the limit checked before.
    assert_eq!(
        field(refused.headers(), "ratelimit"),
        "\"api\";r=79;t=900, \"login\";r=0;t=3600"
    );
    assert_eq!(
        server
            .ask("192.0.2.2", "/api/auth/login", 200)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn a_refusal_is_a_problem_document() {
    let policy = policy("api", 1, HOUR).with_message("Slow \"down\".");
    let server = Server::new([policy]);
    server.ask("192.0.2.1", "/", 200).await;
    server.clock.advance(Duration::from_millis(1));
    let refused = server.ask("192.0.2.1", "/", 200).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(
        field(refused.headers(), "content-type"),
        "application/problem+json"
    );
    assert_eq!(field(refused.headers(), "cache-control"), "no-store");
    assert_eq!(
        field(refused.headers(), "ratelimit-policy"),
        "\"api\";q=1;w=3600"
    );
    let body = axum::body::to_bytes(refused.into_body(), 4_096)
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        document,
        serde_json::json!({
            "type": QUOTA_EXCEEDED,
            "title": "Request cannot be satisfied as assigned quota has been exceeded",
            "status": 429,
            "code": "rate-limit-exceeded",
            "detail": "Slow \"down\".",
            "violated-policies": ["api"],
        })
    );
}

/// Trap 19 of the limits: `Retry-After` at least 1, and enough.
#[tokio::test]
async fn trap_19_waiting_as_long_as_told_is_enough_for_every_policy() {
    let server = Server::new([
        policy("second", 1, Duration::from_secs(1)),
        policy("hour", 1, HOUR),
    ]);
    server
        .check("/", 200, 200, "\"second\";r=0;t=1, \"hour\";r=0;t=3600")
        .await;
    server.clock.advance(Duration::from_millis(999));
    let refused = server.ask("192.0.2.1", "/", 200).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(
        field(refused.headers(), "ratelimit"),
        "\"second\";r=0;t=1, \"hour\";r=0;t=3600"
    );
    assert_eq!(field(refused.headers(), "retry-after"), "3600");
    server.clock.advance(HOUR);
    server
        .check("/", 200, 200, "\"second\";r=0;t=1, \"hour\";r=0;t=3600")
        .await;
}

#[tokio::test]
async fn a_window_rolls_over_at_its_end() {
    let server = Server::new([policy("api", 2, Duration::from_secs(10))]);
    server.check("/", 200, 200, "\"api\";r=1;t=10").await;
    server.clock.advance(Duration::from_millis(9_999));
    server.check("/", 200, 200, "\"api\";r=0;t=1").await;
    server.check("/", 200, 429, "\"api\";r=0;t=1").await;
    server.clock.advance(Duration::from_millis(1));
    server.check("/", 200, 200, "\"api\";r=1;t=10").await;
}

/// Trap 19 of the limits: the exact count under concurrency, on several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn trap_19_a_thousand_concurrent_requests_get_exactly_the_quota() {
    let calls = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&calls);
    let service =
        RateLimitLayer::new([policy("api", 100, HOUR)]).layer(service_fn(move |_: Request<()>| {
            seen.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        }));
    let tasks: Vec<_> = (0..1_000)
        .map(|_| tokio::spawn(service.clone().oneshot(request("192.0.2.1", "/"))))
        .collect();
    let mut allowed = 0;
    for task in tasks {
        allowed += u32::from(task.await.unwrap().unwrap().status() == 200);
    }
    assert_eq!(allowed, 100);
    assert_eq!(
        calls.load(Ordering::SeqCst),
        100,
        "a refused request does nothing"
    );
}

/// Of 20 logins at once, at most 5 are under way; what fails counts, what succeeds does not.
#[tokio::test]
async fn slots_under_way_are_taken_and_come_back_only_on_success() {
    let layer = Server::new([policy("login", 5, HOUR).with_skip_successful(true)]).layer;
    let (answers, _) = tokio::sync::broadcast::channel::<u16>(16);
    let sender = answers.clone();
    let mut service = layer.layer(service_fn(move |_: Request<()>| {
        let mut answer = sender.subscribe();
        async move {
            let status = answer.recv().await.unwrap();
            let response = Response::builder()
                .status(status)
                .body(Body::empty())
                .unwrap();
            Ok::<_, Infallible>(response)
        }
    }));
    let mut wave = async |status: u16| {
        let pending: Vec<_> = (0..20)
            .map(|_| service.call(request("192.0.2.1", "/")))
            .collect();
        // With every request refused, nobody waits for an answer.
        let _ = answers.send(status);
        let mut reached = 0;
        for future in pending {
            reached += u32::from(future.await.unwrap().status() != 429);
        }
        reached
    };
    assert_eq!(wave(200).await, 5);
    assert_eq!(wave(204).await, 5, "all five came back");
    assert_eq!(wave(401).await, 5);
    assert_eq!(wave(200).await, 0, "five failures used it up");
}

#[tokio::test]
async fn a_dropped_request_and_an_error_count() {
    let layer = Server::new([policy("login", 2, HOUR).with_skip_successful(true)]).layer;
    let mut service = layer.layer(service_fn(async |_: Request<()>| {
        Err::<Response<Body>, _>("connection lost")
    }));
    drop(service.call(request("192.0.2.1", "/")));
    assert!(service.call(request("192.0.2.1", "/")).await.is_err());
    assert_eq!(
        service
            .call(request("192.0.2.1", "/"))
            .await
            .unwrap()
            .status(),
        429
    );
}

/// Trap 19 of the limits: a success that comes after its window is over.
#[test]
fn trap_19_a_late_success_gives_nothing_back_to_the_next_window() {
    let limiter =
        Limiter::new([policy("login", 2, Duration::from_secs(10)).with_skip_successful(true)]);
    let key = LimitKey::of("someone");
    let late = limiter.reserve(key, Timestamp::from_millis(0)).unwrap();
    limiter
        .reserve(key, Timestamp::from_millis(10_000))
        .unwrap()
        .keep();
    let standing = late.settle(
        Outcome::new(StatusCode::OK, 0),
        Timestamp::from_millis(10_000),
    );
    assert_eq!(standing.policies().count(), 1);
    limiter
        .reserve(key, Timestamp::from_millis(10_000))
        .unwrap()
        .keep();
    let exceeded = limiter
        .reserve(key, Timestamp::from_millis(10_000))
        .unwrap_err();
    assert_eq!(exceeded.policy().name(), "login");
    assert_eq!(exceeded.retry_after(), Duration::from_secs(10));
}

#[test]
fn a_refunded_reservation_never_happened() {
    let limiter = Limiter::new([policy("mails", 1, HOUR)]);
    let (key, now) = (LimitKey::of("a@example.com"), Timestamp::default());
    let left = limiter.reserve(key, now).unwrap().refund(now);
    assert_eq!(
        left.policies()
            .map(|(_, remaining, _)| remaining)
            .collect::<Vec<_>>(),
        [1]
    );
    limiter.reserve(key, now).unwrap().keep();
    assert!(limiter.reserve(key, now).is_err());
    assert!(limiter.reserve(LimitKey::of("b@example.com"), now).is_ok());
}

#[tokio::test]
async fn an_inner_limiters_fields_are_kept() {
    let outer = RateLimitLayer::new([policy("outer", 9, HOUR)]);
    let inner = RateLimitLayer::new([policy("inner", 9, HOUR)]);
    let service = outer.layer(inner.layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    })));
    let response = service.oneshot(request("192.0.2.1", "/")).await.unwrap();
    let lines: Vec<_> = response.headers().get_all("ratelimit").iter().collect();
    assert_eq!(lines, ["\"inner\";r=8;t=3600", "\"outer\";r=8;t=3600"]);
}
