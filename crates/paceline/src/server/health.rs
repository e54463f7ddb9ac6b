//! `/health/live` and `/health/ready`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use paceline_http::problem::Problem;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::source::Source;

#[derive(Clone)]
struct Health {
    source: Arc<Source>,
    stop: CancellationToken,
}

/// The two routes. Ready means: no stop is under way, and the database can be read.
pub(super) fn routes(source: &Arc<Source>, stop: &CancellationToken) -> Router {
    let state = Health {
        source: Arc::clone(source),
        stop: stop.clone(),
    };
    Router::new()
        .route("/health/live", get(async || now("live")))
        .route("/health/ready", get(ready))
        .with_state(state)
}

async fn ready(State(health): State<Health>) -> Result<Response, Problem> {
    if health.stop.is_cancelled() {
        return Err(
            Problem::unavailable(Duration::from_secs(5), "The server is stopping.")
                .with_code("draining"),
        );
    }
    if !health.source.database.is_readable().await {
        return Err(Problem::unavailable(
            Duration::from_secs(5),
            "The database cannot be read.",
        ));
    }
    Ok(now("ready"))
}

/// A status of this moment.
fn now(status: &str) -> Response {
    let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, Json(json!({"status": status}))).into_response()
}
