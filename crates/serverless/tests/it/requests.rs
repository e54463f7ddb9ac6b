//! Requests, answers, and what happens when a service fails.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use paceline_serverless::{Deadline, Serverless};
use serde_json::json;

use crate::double::{self, Double, deadline_in};
use crate::start;

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/left", get(left))
        .route("/slow", get(std::future::pending::<&str>))
        .route("/panic", get(|| async { panic!("a bug") as &str }))
        .route("/large", get(|| async { "x".repeat(7_000_000) }))
}

/// How many whole seconds are left, or that nobody knows.
async fn left(deadline: Option<Extension<Deadline>>) -> String {
    deadline.map_or_else(
        || "unknown".to_owned(),
        |deadline| deadline.remaining(Instant::now()).as_secs().to_string(),
    )
}

#[tokio::test]
async fn a_router_answers_events_one_after_the_other() {
    let mut double = Double::start().await;
    let serverless = Serverless::new(router());
    let counters = serverless.counters();
    start(
        &double,
        serverless,
        &[("AWS_LAMBDA_LOG_STREAM_NAME", "stream-1")],
    );
    for id in ["a-1", "a-2"] {
        let report = double.ask(id, double::get("/")).await;
        assert_eq!(
            report.path,
            format!("/2018-06-01/runtime/invocation/{id}/response")
        );
        assert_eq!(report.headers["content-type"], "application/json");
        let answer = report.json();
        assert_eq!(
            (&answer["statusCode"], &answer["body"]),
            (&json!(200), &json!("hello"))
        );
    }
    let missing = double.ask("a-3", double::get("/nothing")).await;
    assert_eq!(missing.json()["statusCode"], 404);
    let counts = counters.read();
    assert_eq!((counts.cold_requests, counts.warm_requests), (1, 2));
    assert_eq!(counts.environment, "stream-1");
}

#[tokio::test]
async fn connections_that_end_are_made_again() {
    let mut double = Double::start().await;
    double.close_connections();
    start(&double, Serverless::new(router()), &[]);
    for id in ["a-1", "a-2", "a-3"] {
        assert_eq!(
            double.ask(id, double::get("/")).await.json()["body"],
            "hello"
        );
    }
}

#[tokio::test]
async fn trap_07_requests_with_odd_deadlines_are_answered() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router()), &[]);
    let header = |value: &str| vec![("lambda-runtime-deadline-ms", value.to_owned())];
    for (headers, expected) in [
        (vec![], "unknown"),
        (header("600000"), "unknown"),
        (header("1000"), "unknown"),
        (header("soon"), "unknown"),
        (vec![deadline_in(Duration::from_millis(60_900))], "60"),
    ] {
        double.give("d-1", double::get("/left"), &headers);
        let answer = double.report().await.json();
        assert_eq!(answer["statusCode"], 200, "{headers:?}");
        assert_eq!(answer["body"], expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_before_it_is_cut_off() {
    let mut double = Double::start().await;
    let margin = Duration::from_millis(300);
    start(
        &double,
        Serverless::new(router()).deadline_margin(margin),
        &[],
    );
    let time = Duration::from_secs(1);
    let before = Instant::now();
    double.give("s-1", double::get("/slow"), &[deadline_in(time)]);
    let answer = double.report().await.json();
    assert!(
        before.elapsed() < time,
        "the platform would have ended it: {:?}",
        before.elapsed()
    );
    assert_eq!(answer["statusCode"], 503);
    assert_eq!(answer["headers"]["retry-after"], "1");
    assert_eq!(
        answer["headers"]["content-type"],
        "application/problem+json"
    );
    assert!(
        answer["body"]
            .as_str()
            .is_some_and(|body| body.contains("deadline-exceeded"))
    );
    assert_eq!(
        double.ask("s-2", double::get("/")).await.json()["body"],
        "hello"
    );
}

#[tokio::test]
async fn trap_09_a_panic_is_a_500_and_the_next_request_is_answered() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router()), &[]);
    let answer = double.ask("p-1", double::get("/panic")).await.json();
    assert_eq!(answer["statusCode"], 500);
    let body = answer["body"].as_str().expect("a body");
    assert!(
        body.contains("internal-error") && !body.contains("a bug"),
        "{body}"
    );
    assert_eq!(
        double.ask("p-2", double::get("/")).await.json()["body"],
        "hello"
    );
}

#[tokio::test]
async fn an_answer_that_is_too_large_says_so() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router()), &[]);
    let answer = double.ask("l-1", double::get("/large")).await.json();
    assert_eq!(answer["statusCode"], 413);
    assert!(
        answer["body"]
            .as_str()
            .is_some_and(|body| body.contains("RESPONSE_STREAM"))
    );
}

#[tokio::test]
async fn a_request_that_is_none_is_a_400() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router()), &[]);
    let mut event = double::get("/");
    event["body"] = json!("no base64!");
    event["isBase64Encoded"] = json!(true);
    let answer = double.ask("m-1", event).await.json();
    assert_eq!(answer["statusCode"], 400);
    assert!(
        answer["body"]
            .as_str()
            .is_some_and(|body| body.contains("base64"))
    );
}
