//! Requests that axum rejects, as problems.

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http::Request;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read from JSON")]
struct CreatePostCommand {
    title: String,
    #[serde(default)]
    authors: Vec<AuthorRecord>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read from JSON")]
struct AuthorRecord {
    #[serde(rename = "full/name")]
    name: String,
    age: Option<u8>,
    #[serde(default, deserialize_with = "fails")]
    contact: (),
}

fn fails<'de, D: serde::Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(serde::de::Error::custom("no connection to db.internal"))
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read from a query")]
struct Search {
    q: String,
    most: Option<u32>,
}

fn app() -> Router {
    Router::new()
        .route("/posts", post(async |_: Json<CreatePostCommand>| ()))
        .route("/posts/{id}", get(async |_: Path<u64>| ()))
        .route("/posts/{id}/{part}", get(async |_: Path<(u64, u8)>| ()))
        .route(
            "/named/{id}",
            get(async |_: Path<std::collections::HashMap<String, u64>>| ()),
        )
        .route("/broken/{id}", get(async |_: Path<(u64, u64)>| ()))
        .route("/search", get(async |_: Query<Search>| ()))
        .layer(DefaultBodyLimit::max(1_000))
}

async fn ask(request: Request<Body>) -> Value {
    let response = app().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(
        parts.headers["content-type"], "application/problem+json",
        "{body:?}"
    );
    let text = String::from_utf8(body.to_vec()).unwrap();
    for inside in [
        "CreatePost",
        "AuthorRecord",
        "struct",
        "serde",
        "u32",
        "u64",
        "internal\"",
        "db.",
    ] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["status"], parts.status.as_u16());
    body
}

async fn send(content_type: &str, body: &str) -> Value {
    let request = Request::post("/posts").header("content-type", content_type);
    ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn bodies_name_the_member_that_is_wrong() {
    let check = async |body: &str, pointer: &str, code: &str| {
        let problem = send("application/json", body).await;
        assert_eq!(problem["status"], 422, "{problem}");
        assert_eq!(problem["code"], "invalid-body", "{problem}");
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!(pointer), &json!(code)),
            "{problem}"
        );
    };
    check("{}", "", "missing-field").await;
    check(r#"{"title":1}"#, "/title", "wrong-type").await;
    check(r#"{"title":"x","titel":"x"}"#, "/titel", "unknown-field").await;
    check(r#"{"title":"x","title":"y"}"#, "", "repeated-field").await;
    check(r#"{"title":"x","authors":7}"#, "/authors", "wrong-type").await;
    check(
        r#"{"title":"x","authors":[{"full/name":null}]}"#,
        "/authors/0/full~1name",
        "wrong-type",
    )
    .await;
    check(
        r#"{"title":"x","authors":[{"full/name":"x","age":256}]}"#,
        "/authors/0/age",
        "wrong-type",
    )
    .await;
    check(
        r#"{"title":"x","authors":[{"full/name":"x","contact":1}]}"#,
        "/authors/0/contact",
        "invalid-value",
    )
    .await;
    check("[]", "", "wrong-type").await;
    check("7", "", "wrong-type").await;
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_long_have_their_own_codes() {
    let check = async |content_type: &str, body: &str, status: u16, code: &str| {
        let problem = send(content_type, body).await;
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(status), &json!(code)),
            "{problem}"
        );
    };
    check("application/json", "{\"title\":", 400, "malformed-body").await;
    check("application/json", "", 400, "malformed-body").await;
    check(
        "application/json",
        "{\"title\":\"x\"} x",
        400,
        "malformed-body",
    )
    .await;
    check("text/plain", "{}", 415, "unsupported-media-type").await;
    check(
        "application/json",
        &" ".repeat(1_001),
        413,
        "payload-too-large",
    )
    .await;
    let problem = send("application/json", "{\n  \"title\": }").await;
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("line 2, column 12"),
        "{problem}"
    );
}

#[tokio::test]
async fn paths_and_queries_name_what_is_wrong() {
    let check = async |uri: &str, status: u16, code: &str| {
        let problem = ask(Request::get(uri).body(Body::empty()).unwrap()).await;
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(status), &json!(code)),
            "{problem}"
        );
        problem
    };
    let problem = check("/posts/abc", 400, "invalid-path").await;
    assert!(
        problem["detail"].as_str().unwrap().contains("\"abc\""),
        "{problem}"
    );
    check("/posts/1/300", 400, "invalid-path").await;
    let problem = check("/named/x", 400, "invalid-path").await;
    assert!(
        problem["detail"].as_str().unwrap().contains("as \"id\""),
        "{problem}"
    );
    check("/posts/%ff", 400, "invalid-path").await;
    check("/broken/1", 500, "internal-error").await;
    let problem = check("/search?q=x&most=many", 400, "invalid-parameter").await;
    assert_eq!(problem["parameter"], "most");
    let problem = check("/search", 400, "invalid-parameter").await;
    assert!(
        problem["detail"].as_str().unwrap().contains("\"q\""),
        "{problem}"
    );
}
