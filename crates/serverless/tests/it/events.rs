//! Warm-ups, schedules, and what is neither.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use paceline_serverless::{Serverless, WarmUp};
use serde_json::json;

use crate::double::{self, Double};
use crate::{Notes, start};

fn router(notes: &Notes) -> Router {
    let asked = notes.clone();
    let posted = notes.clone();
    Router::new()
        .route("/", get(move || async move { asked.add("request") }))
        .route(
            "/",
            post(move |body: String| async move { posted.add(&body) }),
        )
}

#[tokio::test]
async fn trap_08_a_warm_up_pings_and_reaches_no_route() {
    let mut double = Double::start().await;
    let notes = Notes::default();
    let pinged = notes.clone();
    let warm_up = WarmUp::new().ping(Duration::from_secs(5), move || {
        pinged.add("ping");
        async { Err("the database is down".into()) }
    });
    let serverless = Serverless::new(router(&notes)).warm_up(warm_up);
    let counters = serverless.counters();
    start(&double, serverless, &[]);
    let rule = json!({
        "source": "aws.events", "detail-type": "Scheduled Event", "resources": ["arn:aws:events:r:1:rule/keep-warm"]
    });
    for event in [
        rule,
        json!({"source": "serverless-plugin-warmup"}),
        json!([{"warmer": true}]),
    ] {
        let report = double.ask("w-1", event).await;
        assert!(report.path.ends_with("/response"), "{report:?}");
        assert_eq!(report.json(), json!({"statusCode": 200, "body": "warm"}));
    }
    assert_eq!(notes.all(), ["ping"; 3]);
    double.ask("w-2", double::get("/")).await;
    let counts = counters.read();
    assert_eq!(
        (counts.warm_ups, counts.cold_requests, counts.warm_requests),
        (3, 0, 1)
    );
}

#[tokio::test]
async fn trap_08_a_post_that_looks_like_a_warm_up_reaches_its_route() {
    let mut double = Double::start().await;
    let notes = Notes::default();
    start(&double, Serverless::new(router(&notes)), &[]);
    let looks = r#"{"source":"serverless-plugin-warmup","warmer":true,"paceline":"warm-up"}"#;
    let mut event = double::get("/");
    event["requestContext"]["http"]["method"] = json!("POST");
    event["body"] = json!(looks);
    assert_eq!(double.ask("b-1", event).await.json()["statusCode"], 200);
    assert_eq!(notes.all(), [looks]);
}

#[tokio::test]
async fn trap_08_a_schedule_is_taken_or_fails_and_is_never_swallowed() {
    let nightly = json!({
        "id": "e-1", "source": "aws.events", "detail-type": "Scheduled Event",
        "resources": ["arn:aws:events:r:1:rule/nightly-report"], "detail": {"secret": "x"}
    });
    let mut double = Double::start().await;
    start(&double, Serverless::new(Router::new()), &[]);
    let report = double.ask("n-1", nightly.clone()).await;
    assert!(report.path.ends_with("/n-1/error"), "{report:?}");
    assert_eq!(
        report.headers["lambda-runtime-function-error-type"],
        "Paceline.UnhandledEvent"
    );
    let error = report.json();
    let message = error["errorMessage"].as_str().expect("a message");
    assert!(
        message.contains("on_schedule") && message.contains("keep-warm"),
        "{message}"
    );

    let mut double = Double::start().await;
    let taking = Serverless::new(Router::new()).on_schedule(|event| async move {
        match event.name() {
            Some("nightly-report") => Ok(json!({"queued": event.id()})),
            _ => Err("the queue is full".into()),
        }
    });
    start(&double, taking, &[]);
    let report = double.ask("n-2", nightly).await;
    assert!(report.path.ends_with("/n-2/response"));
    assert_eq!(report.json(), json!({"queued": "e-1"}));
    let report = double.ask("n-3", json!({"order": 7})).await;
    assert_eq!(report.json()["errorMessage"], "the queue is full");
}

#[tokio::test]
async fn what_is_not_served_fails_by_name() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(Router::new()), &[]);
    let report = double
        .ask("x-1", json!({"requestContext": {"connectionId": "c"}}))
        .await;
    assert_eq!(
        report.headers["lambda-runtime-function-error-type"],
        "Paceline.UnknownEvent"
    );
    assert!(
        report.json()["errorMessage"]
            .as_str()
            .is_some_and(|m| m.contains("WebSocket"))
    );
}
