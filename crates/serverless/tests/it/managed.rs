//! Managed instances: several invocations at the same time in one process.

use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use paceline_serverless::{Invocation, Serverless};
use tokio::sync::Barrier;

use crate::double::{self, Double};
use crate::start;

const AT_ONCE: usize = 4;
const VARIABLES: &[(&str, &str)] = &[("AWS_LAMBDA_MAX_CONCURRENCY", "4")];

/// `/together` answers when four requests are in it at the same time, each with what it was called with.
fn router(at_once: usize) -> Router {
    let barrier = Arc::new(Barrier::new(at_once));
    let together = async move |Extension(invocation): Extension<Invocation>| {
        barrier.wait().await;
        let trace = invocation.trace_id.unwrap_or_default();
        format!("{} {trace}", invocation.request_id)
    };
    let together = move |extension| {
        let together = together.clone();
        async move { together(extension).await }
    };
    Router::new()
        .route("/together", get(together))
        .route("/panic", get(|| async { panic!("a bug") as &str }))
}

async fn four_together(double: &mut Double, of: &str) {
    for number in 0..AT_ONCE {
        let trace = ("lambda-runtime-trace-id", format!("trace-{number}"));
        double.give(
            &format!("{of}-{number}"),
            double::get("/together"),
            &[trace],
        );
    }
    for _ in 0..AT_ONCE {
        let report = double.report().await;
        let id = report.path.split('/').nth(4).expect("an id").to_owned();
        let number = id.rsplit('-').next().expect("a number");
        assert_eq!(report.json()["body"], format!("{id} trace-{number}"));
    }
}

#[tokio::test]
async fn trap_10_four_invocations_overlap_and_keep_apart() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router(AT_ONCE)), VARIABLES);
    four_together(&mut double, "a").await;
    four_together(&mut double, "b").await;
}

#[tokio::test]
async fn trap_09_a_panic_of_one_invocation_leaves_all_workers() {
    let mut double = Double::start().await;
    start(&double, Serverless::new(router(AT_ONCE)), VARIABLES);
    for number in 0..8 {
        let answer = double
            .ask(&format!("p-{number}"), double::get("/panic"))
            .await
            .json();
        assert_eq!(answer["statusCode"], 500);
    }
    four_together(&mut double, "a").await;
}

#[tokio::test]
async fn a_worker_that_dies_leaves_the_others() {
    let mut double = Double::start().await;
    double.refuse_first_worker();
    start(&double, Serverless::new(router(3)), VARIABLES);
    // Three of four are left, and three are together.
    for round in 0..3 {
        for number in 0..3 {
            double.give(&format!("{round}-{number}"), double::get("/together"), &[]);
        }
        for _ in 0..3 {
            assert_eq!(double.report().await.json()["statusCode"], 200);
        }
    }
    while double.refused() < 4 {
        tokio::task::yield_now().await;
    }
    double.give("9-0", double::get("/panic"), &[]);
    assert_eq!(double.report().await.json()["statusCode"], 500);
    assert_eq!(double.refused(), 4, "it does not ask for ever");
}

#[tokio::test]
async fn the_end_of_all_workers_is_an_error() {
    let double = Double::start().await;
    double.refuse_first_worker();
    let run = start(&double, Serverless::new(router(1)), &[]);
    let ended = run.await.expect("no panic").expect_err("it cannot go on");
    assert!(ended.to_string().contains("500"), "{ended}");
}
