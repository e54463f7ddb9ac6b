//! Every failure is a problem document whose codes are spelled alike.

use crate::client::{Answer, codes};
use crate::server::shared_demo;

/// Checks the status and all codes of one answer: its own first, then those of its errors.
#[track_caller]
fn check(answer: &Answer, status: u16, expected: &[&str]) {
    let problem = answer.assert_problem(status, expected[0]);
    assert_eq!(codes(&problem), expected, "{problem}");
}

#[test]
fn mistakes_in_parameters_have_stable_codes() {
    let server = shared_demo();
    for (query, code) in [
        ("title=%ff", "invalid-encoding"),
        ("colour=red", "unknown-parameter"),
        ("page=1&page=2", "repeated-parameter"),
        ("page=2&cursor=x", "conflicting-parameters"),
        ("fields=colour", "unknown-field"),
        ("page=0", "invalid-page"),
        ("limit=101", "invalid-limit"),
        ("cursor=x", "invalid-cursor"),
        ("sort=id,id", "invalid-sort"),
        ("user_id=seven", "invalid-filter"),
        ("fields=author(", "invalid-fields"),
        ("count=all", "invalid-count"),
    ] {
        let answer = server.get(&format!("/api/posts?{query}"));
        check(&answer, 400, &[code]);
    }
    let long = format!("/api/posts?title={}", "x".repeat(20_000));
    check(&server.get(&long), 400, &["query-too-large"]);
    check(
        &server.get("/api/stream?colour=red"),
        400,
        &["unknown-parameter"],
    );
}

#[test]
fn mistakes_in_bodies_have_stable_codes() {
    let server = shared_demo();
    for (body, code) in [
        ("[]", "not-an-object"),
        (r#"{"colour":"red"}"#, "unknown-field"),
        (r#"{"stock":1,"stock":2}"#, "duplicate-field"),
        (r#"{"stock":"one"}"#, "wrong-type"),
        (r#"{"stock":null}"#, "null"),
        (r#"{"id":7}"#, "read-only"),
        (r#"{"stock":1e30}"#, "out-of-range"),
    ] {
        let answer = server.send_json("PATCH", "/api/products/1", &[], body);
        check(&answer, 422, &["invalid-body", code]);
    }
    check(
        &server.send_json("PATCH", "/api/products/1", &[], r#"{"price_cents":-1}"#),
        422,
        &["invalid-body", "constraint"],
    );
    for path in ["/send-email", "/api/auth/login"] {
        let answer = server.send_json("POST", path, &[], "{}");
        let problem = answer.assert_problem(422, "invalid-body");
        assert!(codes(&problem).contains(&"missing-field"), "{problem}");
    }
}
