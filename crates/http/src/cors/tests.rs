//! What a browser asks, and what it is told.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, patch};
use http::{Request, Response};
use tower::ServiceExt;

use super::*;
use crate::problem::Problem;

const PAGE: &str = "https://app.example.com";

fn app(cors: CorsLayer) -> Router {
    Router::new()
        .route("/", get(async || [("etag", "\"v\"")]))
        .route(
            "/refused",
            patch(async || Problem::too_many_requests(MAX_AGE, "Wait.")),
        )
        .layer(cors)
}

async fn ask(cors: CorsLayer, method: &str, path: &str, lines: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    app(cors)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

fn list(response: &Response<Body>, name: &str) -> BTreeSet<String> {
    let value = response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap());
    value
        .split(',')
        .map(|item| item.trim().to_ascii_lowercase())
        .collect()
}

#[tokio::test]
async fn a_preflight_allows_conditional_idempotent_and_resuming_requests() {
    let lines = [
        ("origin", PAGE),
        ("access-control-request-method", "PATCH"),
        (
            "access-control-request-headers",
            "content-type,idempotency-key,if-match,last-event-id",
        ),
    ];
    let response = ask(layer([PAGE]).unwrap(), "OPTIONS", "/refused", &lines).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
    assert_eq!(response.headers()["access-control-max-age"], "7200");
    assert!(list(&response, "access-control-allow-methods").contains("patch"));
    let allowed = list(&response, "access-control-allow-headers");
    for header in [
        "if-match",
        "if-none-match",
        "idempotency-key",
        "last-event-id",
        "content-type",
        "authorization",
    ] {
        assert!(allowed.contains(header), "{header}");
    }
    assert!(list(&response, "vary").contains("origin"));
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-credentials")
    );
}

#[tokio::test]
async fn answers_and_refusals_expose_what_the_layers_write() {
    for (method, path) in [("GET", "/"), ("PATCH", "/refused"), ("GET", "/nothing")] {
        let response = ask(layer([PAGE]).unwrap(), method, path, &[("origin", PAGE)]).await;
        let exposed = list(&response, "access-control-expose-headers");
        for header in [
            "etag",
            "link",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "x-request-id",
        ] {
            assert!(exposed.contains(header), "{header} of {path}");
        }
        assert!(!exposed.contains("*"));
    }
}

#[tokio::test]
async fn other_origins_get_no_leave() {
    let allowed = async |cors, origin| {
        let response = ask(cors, "GET", "/", &[("origin", origin)]).await;
        let value = response.headers().get("access-control-allow-origin");
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    for other in [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "null",
    ] {
        assert_eq!(
            allowed(layer([PAGE]).unwrap(), other).await,
            None,
            "{other}"
        );
    }
    assert_eq!(
        allowed(any_origin(), "https://evil.example")
            .await
            .as_deref(),
        Some("*")
    );
    assert!(layer([PAGE, "https://app.example.com/"]).is_err());
}
