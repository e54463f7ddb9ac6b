//! Answers as streams.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use paceline_serverless::Serverless;
use tokio::sync::Notify;

use crate::double::{self, Double, deadline_in};
use crate::start;

const STREAMING: &[(&str, &str)] = &[("PACELINE_LAMBDA_STREAMING", "true")];

type Piece = Result<Bytes, &'static str>;

/// A row, then, when the test says so, what follows.
fn router(go_on: &Arc<Notify>) -> Router {
    let body = |go_on: &Arc<Notify>, then: Option<Piece>| {
        let go_on = Arc::clone(go_on);
        let first = stream::iter([Ok(Bytes::from_static(b"first\n"))]);
        let second = stream::once(async move {
            go_on.notified().await;
            stream::iter(then)
        });
        Body::from_stream(first.chain(second.flatten()))
    };
    let [rows, broken] = [
        Ok(Bytes::from_static(b"second\n")),
        Err("the database went away"),
    ]
    .map(|then: Piece| {
        let go_on = Arc::clone(go_on);
        move || async move { body(&go_on, Some(then)) }
    });
    Router::new()
        .route("/rows", get(rows))
        .route("/broken", get(broken))
        .route(
            "/",
            get(|| async { ([("content-encoding", "gzip")], &b"\x1f\x8b\xff"[..]) }),
        )
}

fn body(report: &[u8]) -> &[u8] {
    let zeros = report.windows(8).position(|bytes| bytes == [0; 8]);
    &report[zeros.expect("a separator") + 8..]
}

#[tokio::test]
async fn the_first_piece_is_there_before_the_second_is_made() {
    let mut double = Double::start().await;
    let go_on = Arc::new(Notify::new());
    start(&double, Serverless::new(router(&go_on)), STREAMING);
    double.give("s-1", double::get("/rows"), &[]);
    let mut seen = Vec::new();
    while !seen.ends_with(b"first\n") {
        seen.extend_from_slice(&double.piece().await);
    }
    go_on.notify_one();
    let report = double.report().await;
    assert!(report.is_whole);
    assert_eq!(body(&report.body), b"first\nsecond\n");
    assert_eq!(
        report.headers["lambda-runtime-function-response-mode"],
        "streaming"
    );
    assert_eq!(report.headers["transfer-encoding"], "chunked");
    assert_eq!(
        report.headers["content-type"],
        "application/vnd.awslambda.http-integration-response"
    );
}

#[tokio::test]
async fn trap_12_a_stream_that_breaks_is_cut_off_and_nothing_is_added() {
    let mut double = Double::start().await;
    let go_on = Arc::new(Notify::new());
    start(&double, Serverless::new(router(&go_on)), STREAMING);
    go_on.notify_one();
    double.give("t-1", double::get("/broken"), &[]);
    let report = double.report().await;
    assert!(!report.is_whole, "the client would take it for whole");
    assert_eq!(body(&report.body), b"first\n");
    assert!(!report.headers.contains_key("trailer"));
    let told = double.report().await;
    assert!(told.path.ends_with("/t-1/error"), "{told:?}");
    // The environment goes on, on another connection.
    let next = double.ask("t-2", double::get("/")).await;
    assert!(next.is_whole);
}

#[tokio::test]
async fn trap_12_a_compressed_answer_is_streamed_as_it_is() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router(&Arc::default())), STREAMING);
    let report = double.ask("c-1", double::get("/")).await;
    assert_eq!(body(&report.body), b"\x1f\x8b\xff");
    // Without streaming it is base64.
    let mut double = Double::start().await;
    start(&double, Serverless::new(router(&Arc::default())), &[]);
    let answer = double.ask("c-2", double::get("/")).await.json();
    assert_eq!(
        (&answer["body"], &answer["isBase64Encoded"]),
        (&"H4v/".into(), &true.into())
    );
}

#[tokio::test]
async fn a_stream_is_cut_off_before_the_platform_does_it() {
    let mut double = Double::start().await;
    let go_on = Arc::new(Notify::new());
    start(&double, Serverless::new(router(&go_on)), STREAMING);
    let time = Duration::from_secs(1);
    let before = Instant::now();
    double.give("e-1", double::get("/rows"), &[deadline_in(time)]);
    let report = double.report().await;
    assert!(!report.is_whole && before.elapsed() < time);
    assert!(double.report().await.path.ends_with("/e-1/error"));
}

#[tokio::test]
async fn a_load_balancer_gets_a_whole_answer() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router(&Arc::default())), STREAMING);
    let event = serde_json::json!({
        "requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/",
        "headers": {"host": "lb.example"}, "body": "", "isBase64Encoded": false
    });
    let answer = double.ask("b-1", event).await.json();
    assert_eq!(answer["statusDescription"], "200 OK");
}
