//! The example over HTTP, feature by feature.

#![expect(clippy::unwrap_used, reason = "in a test the panic is the message")]

mod server;

use std::io::{BufRead, BufReader, Read};

use flate2::read::GzDecoder;
use paceline_http::cors::EXPOSED_HEADERS;
use serde_json::json;

use self::server::{Answer, Server};

const ORIGIN: (&str, &str) = ("origin", "http://localhost:5173");

#[test]
fn a_list_has_pages_links_and_chosen_fields() {
    let server = Server::start();
    let answer = server.get("/api/posts?page=2&limit=3&fields=id,author.name", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "data": [
                {"id": 4, "author": {"name": "User 5"}},
                {"id": 5, "author": {"name": "User 6"}},
                {"id": 6, "author": {"name": "User 7"}},
            ],
            "pagination": {"page": 2, "limit": 3, "total": 10_000, "pages": 3_334, "next": null},
        })
    );
    let link = answer.header("link");
    assert!(
        link.contains("</api/posts?limit=3&fields=id,author.name&page=3>; rel=\"next\""),
        "{link}"
    );
    let default = server.get("/api/posts", &[]).json();
    assert_eq!(default["data"].as_array().unwrap().len(), 20);
    assert_eq!(default["data"][0].get("body"), None, "not shown by default");

    server
        .get("/api/posts?page=0", &[])
        .assert_problem(400, "invalid-page");
    server
        .get("/api/posts?limit=1000", &[])
        .assert_problem(400, "invalid-limit");
    let problem = server
        .get("/api/posts?fields=id,autor", &[])
        .assert_problem(400, "unknown-field");
    assert!(
        problem["detail"].as_str().unwrap().contains("\"author\""),
        "{problem}"
    );
}

#[test]
fn answers_are_compressed_and_tagged_per_coding() {
    let server = Server::start();
    let path = "/api/posts?fields=id,body";
    let plain = server.get(path, &[]);
    let zipped = server.get(path, &[("accept-encoding", "gzip")]);
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert_eq!(zipped.header("vary"), "accept-encoding");
    assert!(zipped.body.len() * 4 < plain.body.len());
    let mut body = Vec::new();
    GzDecoder::new(&zipped.body[..])
        .read_to_end(&mut body)
        .unwrap();
    assert_eq!(body, plain.body);
    assert_ne!(zipped.header("etag"), plain.header("etag"));
    for tag in [zipped.header("etag"), plain.header("etag")] {
        let lines = [("accept-encoding", "gzip"), ("if-none-match", tag)];
        let again = server.get(path, &lines);
        assert_eq!((again.status, again.body.len()), (304, 0), "{tag}");
    }
}

#[test]
fn an_object_has_a_tag_that_guards_changes() {
    let server = Server::start();
    let product = server.get("/api/products/1", &[]);
    assert_eq!(
        product.json(),
        json!({"id": 1, "name": "Product 1", "stock": 10})
    );
    let tag = product.header("etag");
    let again = server.get("/api/products/1", &[("if-none-match", tag)]);
    assert_eq!((again.status, again.header("etag")), (304, tag));
    let part = server.get("/api/products/1?fields=stock", &[("if-none-match", tag)]);
    assert_eq!(
        part.json(),
        json!({"stock": 10}),
        "another selection has another tag"
    );

    let change =
        |lines: &[(&str, &str)], body: &str| server.send("PATCH", "/api/products/1", lines, body);
    change(&[], r#"{"stock":5}"#).assert_problem(428, "precondition-required");
    let changed = change(&[("if-match", tag)], r#"{"stock":5}"#);
    assert_eq!(changed.json()["stock"], 5);
    assert_ne!(changed.header("etag"), tag);
    change(&[("if-match", tag)], r#"{"stock":6}"#).assert_problem(412, "precondition-failed");
    let next = [("if-match", changed.header("etag"))];
    let problem = change(&next, r#"{"stock":-1}"#).assert_problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["pointer"], "/stock");
    assert_eq!(server.get("/api/products/1", &[]).json()["stock"], 5);
    server
        .get("/api/products/1000", &[])
        .assert_problem(404, "not-found");
    server
        .get("/api/products/x", &[])
        .assert_problem(400, "invalid-path");
}

#[test]
fn an_export_is_a_stream_in_three_forms() {
    let server = Server::start();
    let export = |accept| server.get("/api/export/users", &[("accept", accept)]);
    let array = export("application/json");
    assert_eq!(array.json().as_array().unwrap().len(), 100_000);
    assert!(
        array.headers.get("content-length").is_none(),
        "its length is not known before"
    );
    let lines = export("application/x-ndjson");
    assert!(lines.body.ends_with(b"\n{\"end\":true,\"rows\":100000}\n"));
    let csv = export("text/csv");
    assert!(
        csv.body
            .starts_with(b"id,name,email\r\n1,User 1,user1@example.com\r\n")
    );
    assert_eq!(
        csv.header("content-disposition"),
        "attachment; filename=\"users.csv\""
    );
    export("image/png").assert_problem(406, "not-acceptable");
}

#[test]
fn changes_are_streamed_and_resumed() {
    let server = Server::start();
    let (status, headers, reader) = server.open("GET", "/api/stream", &[], "");
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (200, "text/event-stream")
    );
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    let position = lines
        .find_map(|line| line.strip_prefix("id: ").map(str::to_owned))
        .unwrap();
    let tag = server.get("/api/products/7", &[]).header("etag").to_owned();
    let changed = server.send(
        "PATCH",
        "/api/products/7",
        &[("if-match", &tag)],
        r#"{"stock":1}"#,
    );
    assert_eq!(changed.status, 200);
    assert_eq!(
        lines.find(|line| line.starts_with("data")).unwrap(),
        "data: {\"id\":7}"
    );
    drop(lines);
    let (_, _, reader) = server.open("GET", "/api/stream", &[("last-event-id", &position)], "");
    let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
    assert_eq!(
        lines.find(|line| line.starts_with("data")).unwrap(),
        "data: {\"id\":7}"
    );
}

#[test]
fn failed_logins_are_limited_and_successful_ones_are_not() {
    let server = Server::start();
    let login = |password: &str| {
        let body = json!({"email": "ada@example.com", "password": password}).to_string();
        server.send("POST", "/api/auth/login", &[], &body)
    };
    for _ in 0..8 {
        assert_eq!(login("correct horse battery staple").status, 204);
    }
    for _ in 0..5 {
        login("wrong").assert_problem(401, "unauthorized");
    }
    let refused = login("wrong");
    let problem = refused.assert_problem(429, "rate-limit-exceeded");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("failed logins"),
        "{problem}"
    );
    assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(login("correct horse battery staple").status, 429);
}

#[test]
fn the_api_is_limited_to_100_requests_in_15_minutes() {
    let server = Server::start();
    for sent in 1..=100 {
        let answer = server.get("/api/products/1", &[]);
        assert_eq!(answer.status, 200, "request {sent}");
        assert!(
            answer
                .header("ratelimit")
                .contains(&format!("r={}", 100 - sent)),
            "{answer:?}"
        );
    }
    let refused = server.get("/api/products/1", &[]);
    refused.assert_problem(429, "rate-limit-exceeded");
    assert_eq!(
        refused.header("ratelimit-policy").split(';').next(),
        Some("\"api\"")
    );
    let preflight = [ORIGIN, ("access-control-request-method", "GET")];
    assert_eq!(
        server
            .send("OPTIONS", "/api/products/1", &preflight, "")
            .status,
        200
    );
}

#[test]
fn every_error_is_a_problem() {
    let server = Server::start();
    server.get("/nothing", &[]).assert_problem(404, "not-found");
    let answer = server.send("DELETE", "/api/posts", &[], "");
    answer.assert_problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    server
        .send("POST", "/api/auth/login", &[], "{")
        .assert_problem(400, "malformed-body");
}

/// What a page of another origin cannot see is of no use to it: connection, caching and CORS itself.
const OF_NO_USE: [&str; 6] = [
    "connection",
    "content-encoding",
    "date",
    "transfer-encoding",
    "vary",
    "x-accel-buffering",
];
/// What every page may see (Fetch standard, CORS-safelisted response-header name).
const SAFELISTED: [&str; 7] = [
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

#[test]
fn pages_of_another_origin_see_every_header_that_is_of_use() {
    let server = Server::start();
    let ask = |method: &str, path: &str, lines: &[(&str, &str)]| {
        let lines: Vec<_> = lines.iter().copied().chain([ORIGIN]).collect();
        server.send(method, path, &lines, "")
    };
    let answers: Vec<Answer> = vec![
        ask("GET", "/api/posts", &[("accept-encoding", "gzip")]),
        ask("GET", "/api/products/1", &[]),
        ask("GET", "/api/export/users", &[("accept", "text/csv")]),
        ask("DELETE", "/api/posts", &[]),
        ask("GET", "/nothing", &[]),
    ];
    for answer in answers {
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(exposed.split(',').count(), EXPOSED_HEADERS.len());
        for name in answer.headers.keys().map(ureq::http::HeaderName::as_str) {
            let is_seen = SAFELISTED.contains(&name)
                || OF_NO_USE.contains(&name)
                || name.starts_with("access-control-")
                || exposed
                    .split(',')
                    .any(|exposed| exposed.eq_ignore_ascii_case(name));
            assert!(is_seen, "{name} is hidden from pages");
        }
    }
    let preflight = server.send(
        "OPTIONS",
        "/api/products/1",
        &[
            ORIGIN,
            ("access-control-request-method", "PATCH"),
            ("access-control-request-headers", "content-type,if-match"),
        ],
        "",
    );
    assert_eq!(preflight.status, 200);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("if-match")
    );
}

#[test]
fn fields_by_type_answer_in_an_envelope() {
    let server = Server::start();
    let by_type = server.get("/api/products/2?fields[product]=name", &[]);
    assert_eq!(by_type.json(), json!({"data": {"name": "Product 2"}}));
    assert_eq!(
        server.get("/api/products/2?fields[product]=", &[]).json(),
        json!({"data": {}})
    );
    server
        .get("/api/products/2?fields=id&fields[product]=id", &[])
        .assert_problem(400, "conflicting-parameters");
}
