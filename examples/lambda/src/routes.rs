//! What is answered. Nothing here knows where it runs.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

/// A greeting.
#[derive(Debug, Serialize)]
pub(crate) struct Greeting {
    greeting: String,
}

/// The routes.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { "Ask /hello/{name}\n" }))
        .route("/hello/{name}", get(hello))
}

async fn hello(Path(name): Path<String>) -> Json<Greeting> {
    Json(Greeting {
        greeting: format!("Hello, {name}"),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::routes;

    #[tokio::test]
    async fn who_is_named_is_greeted() {
        let request = Request::get("/hello/Zo%C3%AB")
            .body(Body::empty())
            .expect("a request");
        let answer = routes()
            .oneshot(request)
            .await
            .expect("a router never fails");
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body, serde_json::json!({"greeting": "Hello, Zoë"}));
    }
}
