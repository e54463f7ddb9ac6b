//! Methods that act: refused before they do, never after.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::{
    CurrentState, Decision, EntityTag, PreconditionRefused, evaluate,
};
use tower::{Layer, ServiceExt, service_fn};

use super::exchange::{Lines, headers, json};

const UNSAFE: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

fn decide(method: &Method, request: &HeaderMap) -> Decision {
    let version = EntityTag::strong("v").unwrap();
    evaluate(method, request, &CurrentState::tagged(&version))
}

#[test]
fn trap_02_a_false_if_match_is_412_even_where_if_none_match_would_be_304() {
    let lines: Lines<'_> = &[("if-match", "\"w\""), ("if-none-match", "\"v\"")];
    assert_eq!(
        decide(&Method::GET, &headers(lines)),
        Decision::Refuse(PreconditionRefused::Failed)
    );
}

#[test]
fn trap_03_a_matching_if_none_match_refuses_every_unsafe_method() {
    for method in UNSAFE {
        for tag in ["\"v\"", "\"v-gzip\"", "W/\"v\"", "*"] {
            let decision = decide(&method, &headers(&[("if-none-match", tag)]));
            assert_eq!(
                decision,
                Decision::Refuse(PreconditionRefused::Failed),
                "{method} {tag}"
            );
        }
    }
}

#[test]
fn trap_04_a_weak_tag_never_matches_in_if_match() {
    for (tag, expected) in [
        ("\"v\"", Decision::Proceed),
        ("\"v-br\"", Decision::Proceed),
        ("W/\"v\"", Decision::Refuse(PreconditionRefused::Failed)),
        ("w/\"v\"", Decision::Refuse(PreconditionRefused::Malformed)),
    ] {
        assert_eq!(
            decide(&Method::PATCH, &headers(&[("if-match", tag)])),
            expected,
            "{tag}"
        );
    }
}

#[tokio::test]
async fn trap_03_the_layers_never_turn_an_unsafe_answer_into_304_or_412() {
    for method in UNSAFE {
        for name in ["if-none-match", "if-match"] {
            for tag in ["\"v\"", "\"other\"", "*", "malformed"] {
                let answer = json(&[("etag", "\"v\"")])
                    .ask(method.clone(), &[(name, tag)])
                    .await;
                assert_eq!(
                    (answer.status.as_u16(), answer.runs),
                    (200, 1),
                    "{method} {name} {tag}"
                );
            }
        }
    }
}

#[tokio::test]
async fn trap_08_a_write_runs_once_and_succeeds_whatever_encodings_are_refused() {
    for accepted in [
        "*;q=0",
        "identity;q=0",
        "identity;q=0, gzip;q=0, br;q=0, zstd;q=0, deflate;q=0",
    ] {
        let answer = json(&[])
            .ask(Method::POST, &[("accept-encoding", accepted)])
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.runs),
            (200, 1),
            "{accepted}"
        );
        assert_eq!(answer.field("content-encoding"), "", "{accepted}");
        assert_eq!(answer.body, json(&[]).body);
    }
}

/// A service that knows nothing of codings: it compares whole tags, as most do.
async fn write_if_unchanged(tag: &'static str) -> StatusCode {
    let handler = service_fn(|request: Request<()>| {
        let lines = request.headers().get_all("if-match").iter();
        let tags = lines.flat_map(|line| line.to_str().unwrap().split(", "));
        let is_current = tags.into_iter().any(|tag| tag == "\"v\"");
        let mut response = Response::new(Full::<Bytes>::default());
        if !is_current {
            *response.status_mut() = StatusCode::PRECONDITION_FAILED;
        }
        async { Ok::<_, Infallible>(response) }
    });
    let request = Request::patch("/")
        .header("if-match", tag)
        .body(())
        .unwrap();
    let service = CompressionLayer::default().layer(handler);
    service.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn trap_06_a_tag_from_an_encoded_answer_is_understood_by_a_service_that_knows_only_its_own() {
    for (tag, expected) in [
        ("\"v\"", 200),
        ("\"v-gzip\"", 200),
        ("\"w\", \"v-zstd\"", 200),
        ("\"w-gzip\"", 412),
        ("W/\"v-gzip\"", 412),
    ] {
        assert_eq!(write_if_unchanged(tag).await, expected, "{tag}");
    }
}
