//! Conditional requests through the whole stack.

use http::Method;

use super::exchange::{Lines, json};

const TAGGED: Lines<'_> = &[
    ("etag", "\"v\""),
    ("cache-control", "private, max-age=60"),
    ("expires", "Mon, 07 Nov 1994 08:49:37 GMT"),
    ("content-location", "/posts/1"),
    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("last-modified", "Sat, 05 Nov 1994 08:49:37 GMT"),
    ("accept-ranges", "bytes"),
    ("access-control-allow-origin", "https://example.com"),
];

const OLD: &str = "Fri, 04 Nov 1994 08:49:37 GMT";
const NEW: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

#[tokio::test]
async fn trap_01_a_304_carries_the_cache_fields_of_the_200_in_every_coding() {
    for coding in ["identity", "deflate", "gzip", "br", "zstd"] {
        let ok = json(TAGGED)
            .ask(Method::GET, &[("accept-encoding", coding)])
            .await;
        let tag = ok.field("etag");
        let conditional = [("accept-encoding", coding), ("if-none-match", tag.as_str())];
        let unchanged = json(TAGGED).ask(Method::GET, &conditional).await;
        assert_eq!(unchanged.status, 304, "{coding}");
        assert!(unchanged.body.is_empty(), "{coding}");
        for kept in [
            "etag",
            "vary",
            "cache-control",
            "expires",
            "content-location",
            "date",
            "access-control-allow-origin",
        ] {
            assert!(!ok.field(kept).is_empty(), "{coding} {kept}");
            assert_eq!(unchanged.field(kept), ok.field(kept), "{coding} {kept}");
        }
        for gone in [
            "content-encoding",
            "content-length",
            "content-type",
            "accept-ranges",
            "last-modified",
        ] {
            assert_eq!(unchanged.field(gone), "", "{coding} {gone}");
        }
    }
}

#[tokio::test]
async fn trap_01_a_hashed_body_gets_its_304_in_every_coding() {
    for coding in ["identity", "gzip", "zstd"] {
        let ok = json(&[])
            .ask(Method::GET, &[("accept-encoding", coding)])
            .await;
        let tag = ok.field("etag");
        assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
        let unchanged = json(&[])
            .ask(
                Method::GET,
                &[("accept-encoding", coding), ("if-none-match", &tag)],
            )
            .await;
        assert_eq!(
            (unchanged.status.as_u16(), unchanged.field("etag")),
            (304, tag.clone())
        );
        let changed = json(&[])
            .with_body("[1]".repeat(1000))
            .ask(Method::GET, &[("if-none-match", &tag)])
            .await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.field("etag"), tag);
    }
}

#[tokio::test]
async fn trap_02_a_tag_decides_and_a_date_only_where_there_is_no_tag() {
    let check = async |lines: Lines<'_>, expected: u16| {
        assert_eq!(
            json(TAGGED).ask(Method::GET, lines).await.status,
            expected,
            "{lines:?}"
        );
    };
    check(&[("if-modified-since", NEW)], 304).await;
    check(&[("if-modified-since", OLD)], 200).await;
    check(
        &[("if-modified-since", NEW), ("if-none-match", "\"w\"")],
        200,
    )
    .await;
    check(
        &[("if-modified-since", OLD), ("if-none-match", "\"v\"")],
        304,
    )
    .await;
    check(
        &[("if-modified-since", NEW), ("if-none-match", "malformed")],
        200,
    )
    .await;
}

#[tokio::test]
async fn trap_03_preconditions_are_ignored_where_the_plain_answer_is_an_error() {
    for status in [401, 404, 429, 500, 503] {
        let answer = json(TAGGED)
            .with_status(status)
            .ask(Method::GET, &[("if-none-match", "\"v\"")])
            .await;
        assert_eq!(answer.status, status);
        assert!(!answer.body.is_empty());
    }
}

#[tokio::test]
async fn trap_04_weak_comparison_reads_the_mark_case_sensitively() {
    let check = async |tag: &str, expected: u16| {
        assert_eq!(
            json(TAGGED)
                .ask(Method::GET, &[("if-none-match", tag)])
                .await
                .status,
            expected,
            "{tag}"
        );
    };
    check("W/\"v\"", 304).await;
    check("W/\"v-gzip\"", 304).await;
    check("w/\"v\"", 200).await;
    check("\"V\"", 200).await;
}

#[tokio::test]
async fn trap_05_lists_are_read_as_the_grammar_says() {
    let check = async |lines: Lines<'_>, expected: u16| {
        assert_eq!(
            json(TAGGED).ask(Method::GET, lines).await.status,
            expected,
            "{lines:.200?}"
        );
    };
    check(
        &[("if-none-match", "\"a\""), ("if-none-match", "\"v\"")],
        304,
    )
    .await;
    check(&[("if-none-match", "\"a,b\" ,, \"v\",")], 304).await;
    check(&[("if-none-match", "\"a,\"v\"")], 200).await;
    check(&[("if-none-match", "*")], 304).await;
    check(&[("if-none-match", "*, \"v\"")], 200).await;
    check(&[("if-none-match", "v")], 200).await;
    check(&[("if-none-match", "\"ü\", \"v\"")], 304).await;
    check(
        &[(
            "if-none-match",
            &format!("{}\"v\"", "\"a\",".repeat(10_000)),
        )],
        200,
    )
    .await;
}

#[tokio::test]
async fn trap_06_no_two_codings_share_a_strong_tag_and_each_round_trips_after_a_change_of_coding() {
    let codings = ["identity", "deflate", "gzip", "br", "zstd"];
    let mut tags = Vec::new();
    for coding in codings {
        tags.push(
            json(TAGGED)
                .ask(Method::GET, &[("accept-encoding", coding)])
                .await
                .field("etag"),
        );
    }
    assert_eq!(
        tags,
        [
            "\"v\"",
            "\"v-deflate\"",
            "\"v-gzip\"",
            "\"v-br\"",
            "\"v-zstd\""
        ]
    );
    for tag in &tags {
        for coding in codings {
            let lines = [("accept-encoding", coding), ("if-none-match", tag.as_str())];
            let answer = json(TAGGED).ask(Method::GET, &lines).await;
            assert_eq!(
                (answer.status.as_u16(), answer.field("etag")),
                (304, tag.clone()),
                "{lines:?}"
            );
        }
    }
}

#[tokio::test]
async fn trap_06_an_application_tag_that_ends_in_a_coding_survives() {
    let script = json(&[("etag", "\"app-gzip\"")]);
    assert_eq!(
        script.ask(Method::GET, &[]).await.field("etag"),
        "\"app-gzip\""
    );
    let br = script.ask(Method::GET, &[("accept-encoding", "br")]).await;
    assert_eq!(br.field("etag"), "\"app-gzip-br\"");
    for (tag, expected) in [
        ("\"app-gzip\"", 304),
        ("\"app-gzip-br\"", 304),
        ("\"app\"", 200),
    ] {
        assert_eq!(
            script
                .ask(Method::GET, &[("if-none-match", tag)])
                .await
                .status,
            expected,
            "{tag}"
        );
    }
}

#[tokio::test]
async fn trap_06_weak_tags_are_left_as_they_are() {
    let answer = json(&[("etag", "W/\"v\"")])
        .ask(Method::GET, &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(
        (
            answer.field("content-encoding").as_str(),
            answer.field("etag").as_str()
        ),
        ("gzip", "W/\"v\"")
    );
}

#[tokio::test]
async fn a_no_store_answer_gets_no_tag() {
    assert_eq!(
        json(&[("cache-control", "no-store")])
            .ask(Method::GET, &[])
            .await
            .field("etag"),
        ""
    );
}
