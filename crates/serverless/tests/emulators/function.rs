//! The function under test.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request};
use axum::routing::{any, get};
use futures_util::{StreamExt as _, stream};
use paceline_serverless::{ClientAddress, Serverless};
use serde_json::json;
use tokio::sync::Barrier;

/// The name of the test that is the function.
pub(crate) const NAME: &str = "function::under_test";

/// Where the function says that it was shut down.
pub(crate) const CLOSED: &str = "PACELINE_TEST_CLOSED";

/// Between the two pieces of `/stream`.
pub(crate) const PAUSE: Duration = Duration::from_millis(600);

/// Runs the function when an emulator started this program for it. Otherwise there is nothing to do.
#[test]
fn under_test() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime.expect("a runtime").block_on(run());
    if let Err(error) = ended {
        panic!("{error}");
    }
}

async fn run() -> Result<(), paceline_serverless::RunError> {
    Serverless::new(router())
        .on_shutdown(|| async {
            if let Some(path) = std::env::var_os(CLOSED) {
                std::fs::write(path, "closed").expect("the folder is there");
            }
        })
        .run()
        .await
}

fn router() -> Router {
    let barrier = Arc::new(Barrier::new(4));
    let together = move || {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            "together"
        }
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/pid", get(|| async { std::process::id().to_string() }))
        .route("/together", get(together))
        .route("/panic", get(|| async { panic!("a bug") as &str }))
        .route("/slow", get(std::future::pending::<&str>))
        .route("/stuck", get(stuck))
        .route("/stream", get(|| async { pieces() }))
        .fallback(any(told))
}

/// Holds the whole process, so that not even a timer fires.
async fn stuck() -> &'static str {
    std::thread::park_timeout(Duration::from_mins(1));
    "late"
}

fn pieces() -> Body {
    let second = async {
        tokio::time::sleep(PAUSE).await;
        Ok::<_, Infallible>(Bytes::from_static(b"second\n"))
    };
    let first = stream::iter([Ok(Bytes::from_static(b"first\n"))]);
    Body::from_stream(first.chain(stream::once(second)))
}

/// What the request was.
async fn told(client: Option<Extension<ClientAddress>>, request: Request) -> String {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20)
        .await
        .unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    json!({
        "method": head.method.as_str(),
        "target": head.uri.to_string(),
        "host": header("host"),
        "cookie": header("cookie"),
        "client": client.map(|client| client.0.0.to_string()),
        "body": String::from_utf8_lossy(&body),
    })
    .to_string()
}
