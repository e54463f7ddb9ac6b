//! Validators, compression and what they agree on.

use std::io::Read;

use crate::server::{Server, shared_demo};

#[test]
fn trap_01_a_known_tag_answers_304_with_the_headers_of_the_200() {
    let server = shared_demo();
    for path in [
        "/api/products/1",
        "/api/products?limit=5",
        "/api/posts?page=3",
        "/openapi.json",
    ] {
        let first = server.get(path);
        let tag = first.header("etag").to_owned();
        let again = server.get_with(path, &[&format!("If-None-Match: {tag}")]);
        assert_eq!(again.status, 304, "{path}");
        assert!(again.body.is_empty());
        assert_eq!(again.header("etag"), tag);
        assert_eq!(again.header("vary"), first.header("vary"));
        assert!(again.headers.contains_key("date"), "{:?}", again.headers);
        for name in ["content-encoding", "content-length", "content-type"] {
            assert_eq!(again.headers.get(name), None, "{name}");
        }
        assert_eq!(
            again.headers.get("cache-control"),
            first.headers.get("cache-control")
        );
    }
}

#[test]
fn trap_16_selection_page_filter_and_media_type_are_part_of_the_tag() {
    let server = shared_demo();
    let paths = [
        "/api/posts?page=1",
        "/api/posts?page=2",
        "/api/posts?page=1&fields=id",
        "/api/posts?user_id=7",
    ];
    let mut tags: Vec<String> = paths
        .iter()
        .map(|path| server.get(path).header("etag").to_owned())
        .collect();
    let document = server.get_with("/api/posts?page=1", &["Accept: application/vnd.api+json"]);
    tags.push(document.header("etag").to_owned());
    let count = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), count);
}

#[test]
fn trap_06_each_coding_has_its_own_tag_and_all_of_them_answer_304() {
    let server = shared_demo();
    let path = "/api/posts?limit=50";
    let plain = server.get(path);
    let mut tags = vec![plain.header("etag").to_owned()];
    for coding in ["gzip", "br", "zstd"] {
        let answer = server.get_with(path, &[&format!("Accept-Encoding: {coding}")]);
        assert_eq!(answer.header("content-encoding"), coding);
        assert!(
            answer
                .header("vary")
                .to_ascii_lowercase()
                .contains("accept-encoding")
        );
        assert!(answer.body.len() < plain.body.len() / 2);
        assert_eq!(
            answer.header("content-length"),
            answer.body.len().to_string()
        );
        if coding == "gzip" {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut text)
                .unwrap();
            assert_eq!(text, plain.body);
        }
        tags.push(answer.header("etag").to_owned());
    }
    for tag in &tags {
        let other = server.get_with(
            path,
            &["Accept-Encoding: br", &format!("If-None-Match: {tag}")],
        );
        assert_eq!(other.status, 304, "{tag}");
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
}

#[test]
fn trap_09_head_has_the_headers_of_get_and_no_body() {
    let server = shared_demo();
    for path in ["/api/posts?limit=50", "/api/products/1", "/openapi.json"] {
        for coding in ["identity", "gzip"] {
            let coding = format!("Accept-Encoding: {coding}");
            let get = server.get_with(path, &[&coding]);
            let head = server.send("HEAD", path, &[&coding], None);
            assert!(head.body.is_empty());
            for name in [
                "etag",
                "vary",
                "content-type",
                "content-length",
                "content-encoding",
                "link",
            ] {
                assert_eq!(
                    head.headers.get(name),
                    get.headers.get(name),
                    "{name} of {path}"
                );
            }
        }
    }
}

#[test]
fn a_304_reads_no_row() {
    let server = Server::demo(&[]);
    let tag = server.get("/api/posts?page=7").header("etag").to_owned();
    let before = server.metric("paceline_sql_statements_total");
    for _ in 0..50 {
        let answer = server.get_with("/api/posts?page=7", &[&format!("If-None-Match: {tag}")]);
        assert_eq!(answer.status, 304);
    }
    assert_eq!(server.metric("paceline_sql_statements_total"), before);
    server.get("/api/posts?page=8");
    assert!(
        server.metric("paceline_sql_statements_total") > before,
        "the counter counts"
    );
}

#[test]
fn a_write_by_another_process_is_seen_by_the_next_request() {
    let server = Server::demo(&[]);
    let first = server.get("/api/products/2");
    let list = server.get("/api/products");
    let status = std::process::Command::new("sqlite3")
        .arg(server.dir.join("shop.db"))
        .arg("UPDATE products SET stock = stock + 1 WHERE id = 2")
        .status()
        .expect("sqlite3 is installed by the test command");
    assert!(status.success());
    let second = server.get_with(
        "/api/products/2",
        &[&format!("If-None-Match: {}", first.header("etag"))],
    );
    assert_eq!(second.status, 200);
    assert_eq!(
        second.json()["stock"].as_i64(),
        first.json()["stock"].as_i64().map(|stock| stock + 1)
    );
    let list_again = server.get_with(
        "/api/products",
        &[&format!("If-None-Match: {}", list.header("etag"))],
    );
    assert_eq!(list_again.status, 200);
}

#[test]
fn a_row_changed_while_the_server_was_down_changes_its_tag() {
    let server = Server::demo(&[]);
    let folder = crate::server::copy_of_the_shop();
    drop(server);
    let server = Server::demo_in(folder.path().to_owned(), None, &[]);
    let tags: Vec<String> = ["/api/products/1", "/api/products", "/api/users/1"]
        .map(|path| server.get(path).header("etag").to_owned())
        .into();
    drop(server);
    let status = std::process::Command::new("sqlite3")
        .arg(folder.path().join("shop.db"))
        .arg("UPDATE products SET stock = stock + 1 WHERE id = 1; UPDATE users SET name = 'New' WHERE id = 1")
        .status()
        .expect("sqlite3 is installed by the test command");
    assert!(status.success());
    let server = Server::demo_in(folder.path().to_owned(), Some(folder), &[]);
    for (path, tag) in ["/api/products/1", "/api/products", "/api/users/1"]
        .iter()
        .zip(tags)
    {
        let answer = server.get_with(path, &[&format!("If-None-Match: {tag}")]);
        assert_eq!(answer.status, 200, "{path}");
    }
}
