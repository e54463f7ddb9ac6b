//! A validator answers before the handler runs.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Full};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::{ConditionalLayer, EntityTag, KnownState, ValidatorLayer};
use tower::{Layer, ServiceExt, service_fn};

use super::exchange::{Answer, Lines, headers};

/// `/known` is in version `"v"`, `/gone` is not there, of everything else nothing is known.
fn state(request: &request::Parts) -> Option<KnownState> {
    let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
    match request.uri.path() {
        "/known" => Some(
            KnownState::tagged(EntityTag::strong("v").unwrap())
                .with_last_modified(modified)
                .with_header(http::header::CACHE_CONTROL, "max-age=5".parse().unwrap()),
        ),
        "/gone" => Some(KnownState::absent()),
        _ => None,
    }
}

/// Sends one request through compression, the validator, hashing, and a handler that answers 404 for `/gone`.
async fn ask(method: Method, path: &str, lines: Lines<'_>) -> Answer {
    let runs = Arc::new(AtomicUsize::new(0));
    let handler = service_fn({
        let runs = Arc::clone(&runs);
        move |request: Request<()>| {
            runs.fetch_add(1, Ordering::Relaxed);
            let mut response = Response::new(Full::new(Bytes::from("{\"a\":1},".repeat(400))));
            let json = "application/json".parse().unwrap();
            response.headers_mut().insert("content-type", json);
            if request.uri().path() == "/gone" {
                *response.status_mut() = StatusCode::NOT_FOUND;
            }
            ready(Ok::<_, Infallible>(response))
        }
    });
    let validator = ValidatorLayer::new(|request: &request::Parts| ready(state(request)))
        .require_precondition_if(|request| request.headers.contains_key("x-strict"));
    let service =
        CompressionLayer::default().layer(validator.layer(ConditionalLayer::new().layer(handler)));
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .body(())
        .unwrap();
    *request.headers_mut() = headers(lines);
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
        runs: runs.load(Ordering::Relaxed),
    }
}

#[tokio::test]
async fn a_current_copy_gets_its_304_and_the_handler_does_not_run() {
    for (accepted, tag) in [
        ("identity", "\"v\""),
        ("gzip", "\"v-gzip\""),
        ("zstd", "\"v-zstd\""),
    ] {
        let plain = ask(Method::GET, "/known", &[("accept-encoding", accepted)]).await;
        assert_eq!(
            (
                plain.status.as_u16(),
                plain.runs,
                plain.field("etag").as_str()
            ),
            (200, 1, tag)
        );
        for method in [Method::GET, Method::HEAD] {
            let lines = [("accept-encoding", accepted), ("if-none-match", tag)];
            let answer = ask(method, "/known", &lines).await;
            assert_eq!(
                (answer.status.as_u16(), answer.runs),
                (304, 0),
                "{accepted}"
            );
            for name in ["etag", "vary", "cache-control"] {
                assert_eq!(answer.field(name), plain.field(name), "{name} {accepted}");
            }
            assert!(answer.body.is_empty() && answer.field("content-type").is_empty());
        }
    }
}

#[tokio::test]
async fn trap_03_a_false_guard_is_refused_before_the_handler_acts() {
    let old = "Sat, 05 Nov 1994 08:49:37 GMT";
    let check = async |method: Method, path: &str, lines: Lines<'_>, expected: (u16, usize)| {
        let answer = ask(method.clone(), path, lines).await;
        assert_eq!(
            (answer.status.as_u16(), answer.runs),
            expected,
            "{method} {path} {lines:?}"
        );
        if expected.0 >= 400 && expected.0 != 404 {
            assert_eq!(answer.field("content-type"), "application/problem+json");
        }
    };
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::POST] {
        check(method.clone(), "/known", &[("if-match", "\"w\"")], (412, 0)).await;
        check(
            method.clone(),
            "/known",
            &[("if-match", "\"v-gzip\"")],
            (200, 1),
        )
        .await;
        check(
            method.clone(),
            "/known",
            &[("if-match", "W/\"v\"")],
            (412, 0),
        )
        .await;
        check(method.clone(), "/known", &[("if-match", "v")], (400, 0)).await;
        check(
            method.clone(),
            "/known",
            &[("if-none-match", "*")],
            (412, 0),
        )
        .await;
        check(
            method.clone(),
            "/known",
            &[("if-unmodified-since", old)],
            (412, 0),
        )
        .await;
        check(method.clone(), "/gone", &[("if-match", "*")], (412, 0)).await;
        check(method.clone(), "/gone", &[("if-none-match", "*")], (404, 1)).await;
        check(
            method.clone(),
            "/unknown",
            &[("if-match", "\"w\"")],
            (200, 1),
        )
        .await;
        check(method, "/known", &[], (200, 1)).await;
    }
    check(Method::GET, "/known", &[("if-match", "\"w\"")], (412, 0)).await;
    check(Method::GET, "/gone", &[("if-none-match", "*")], (404, 1)).await;
}

#[tokio::test]
async fn an_unguarded_change_is_428_where_the_policy_says_so() {
    let strict = ("x-strict", "1");
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = ask(method.clone(), "/known", &[strict]).await;
        assert_eq!((answer.status.as_u16(), answer.runs), (428, 0), "{method}");
        let guarded = [strict, ("if-match", "\"v\"")];
        let answer = ask(method, "/known", &guarded).await;
        assert_eq!((answer.status.as_u16(), answer.runs), (200, 1));
    }
    for method in [Method::POST, Method::GET] {
        assert_eq!(ask(method, "/known", &[strict]).await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn what_the_validator_does_not_know_is_tagged_by_its_bytes() {
    let first = ask(Method::GET, "/unknown", &[]).await;
    let tag = first.field("etag");
    assert!(tag.starts_with('"'), "{tag}");
    let again = ask(Method::GET, "/unknown", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.runs), (304, 1));
}
