//! The fuzz bodies on stable: random bytes and half-valid text, 256 of each, or for as many seconds as
//! `PACELINE_FUZZ_SECONDS` says.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Feeds `body` random bytes, and text put together from `pieces`, which gets further into the parser.
fn check(body: fn(&[u8]), pieces: &'static [&'static str]) {
    let anything = prop::collection::vec(any::<u8>(), 0..200);
    let of_pieces = prop::collection::vec(prop::sample::select(pieces), 0..24);
    let input = prop_oneof![
        1 => anything,
        4 => of_pieces.prop_map(|pieces| pieces.concat().into_bytes()),
    ];
    let seconds = std::env::var("PACELINE_FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let mut runner = TestRunner::default();
    let mut tried = 0;
    while tried < 512 || Instant::now() < end {
        let bytes = input
            .new_tree(&mut runner)
            .expect("nothing is filtered")
            .current();
        tried += 1;
        let holds = std::panic::catch_unwind(|| body(&bytes)).is_ok();
        assert!(holds, "fails on {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn accept_encoding() {
    let pieces = &[
        "gzip", "br", "zstd", "identity", "*", ",", ";", "q=", "0", "1", ".5", "001", " ", "\t",
        "\n", "x", "\"",
    ];
    check(paceline_fuzz_bodies::accept_encoding, pieces);
}

#[test]
fn if_none_match() {
    let pieces = &[
        "\"a\"", "W/", "w/", "\"", "*", ",", " ", "\n", "a-gzip", "\"a,b\"", "\u{e9}", "\x7f", "\\",
    ];
    check(paceline_fuzz_bodies::if_none_match, pieces);
}

#[test]
fn client_address() {
    let pieces = &[
        "for=",
        "For=\"",
        "[2001:db8::1]",
        ":80",
        ",",
        ";",
        "\"",
        "\\",
        " ",
        "10.0.0.1",
        "10.0.0.2",
        "1.2.3.4",
        "::ffff:1.2.3.4",
        "unknown",
        "_hidden",
        "unix:",
        "proto=https",
        "by=",
    ];
    check(paceline_fuzz_bodies::client_address, pieces);
}

#[test]
fn event_stream() {
    let pieces = &[
        "\n", "\r", "\r\n", "\0", "data: ", "id: 7", "event: x", ":", " ", "\u{feff}", "text",
        "retry: 1", "\u{2028}",
    ];
    check(paceline_fuzz_bodies::event_stream, pieces);
}

#[test]
fn event_id() {
    let pieces = &[
        "0",
        "1",
        "-",
        "+",
        " ",
        "17",
        "18446744073709551615",
        "18446744073709551616",
    ];
    check(paceline_fuzz_bodies::event_id, pieces);
}

#[test]
fn preconditions() {
    let pieces = &[
        "a",
        "b",
        "c",
        "d",
        "e",
        "\"v\"",
        "W/",
        "\"v-gzip\"",
        "\"x\"",
        ",",
        " ",
        "*",
        "\n",
        "Sun, 06 Nov 1994 08:49:37 GMT",
    ];
    check(paceline_fuzz_bodies::preconditions, pieces);
}

#[test]
fn media_type() {
    let pieces = &[
        "text/",
        "application/",
        "json",
        "vnd.api+",
        "+json",
        "+xml",
        "image/png",
        ";",
        " ",
        "=",
        "event-stream",
        "\t",
        "+",
    ];
    check(paceline_fuzz_bodies::media_type, pieces);
}

#[test]
fn fields() {
    let pieces = &[
        "a", "b", "author", ".", ",", "(", ")", " ", "*", "\u{e9}", "[", "]", "a(b,c)", "a.b",
    ];
    check(paceline_fuzz_bodies::fields, pieces);
}

#[test]
fn cursor() {
    let pieces = &[
        "A",
        "_-",
        "AAAAAAAA",
        "\0",
        "\u{1}abcdefgh",
        "\u{2}12345678",
        "\u{3}text",
        "=",
        "zz",
    ];
    check(paceline_fuzz_bodies::cursor, pieces);
}

#[test]
fn filter() {
    let pieces = &[
        "id",
        "title",
        "score",
        "live",
        "created_at",
        "data",
        "user_id",
        "password_hash",
        "A b",
        "select",
        "=",
        "&",
        "[gt]",
        "[in]",
        "[like]",
        "[null]",
        "[ne]",
        "filter[",
        "]",
        "1",
        "-1",
        "true",
        "a,b",
        "%25",
        "%",
        "'",
        "\"",
        ";--",
        "page=2",
        "limit=5",
        "sort=-score,id",
        "fields=id,author.name",
        "author.",
        "posts.",
        "name",
        "sort=-author.name,id",
        "fields=id,posts(title,author.name)",
        "fields=posts.author.posts.id",
        "count=none",
        "cursor=AAAA",
        "include=author",
        "2026-01-01",
        "1e999",
    ];
    check(paceline_fuzz_bodies::filter, pieces);
}

#[test]
fn fieldsets() {
    let pieces = &[
        "fields=",
        "fields[post]=",
        "fields[user]=",
        "fields%5Bpost%5D=",
        "&",
        "id",
        "title",
        "author",
        "name",
        "posts",
        "labels",
        "a",
        ",",
        ".",
        "(",
        ")",
        "%2C",
        "%",
        "+",
        "page=2",
    ];
    check(paceline_fuzz_bodies::fieldsets, pieces);
}

#[test]
fn page() {
    let pieces = &[
        "page=",
        "limit=",
        "cursor=",
        "page[number]=",
        "page%5Bsize%5D=",
        "page[after]=",
        "&",
        "1",
        "2",
        "0",
        "20",
        "100",
        "9007199254740992",
        "-",
        "%20",
        "%",
        "x",
        "q=a%26b",
        "=",
        "\"",
        "|",
        "\u{e9}",
        "{",
    ];
    check(paceline_fuzz_bodies::page, pieces);
}

#[test]
fn page_cursor() {
    let pieces = &[
        "A",
        "_-",
        "AAAAAAAA",
        "\0",
        "\u{1}abcdefgh",
        "=",
        "zz",
        "\u{e9}",
    ];
    check(paceline_fuzz_bodies::page_cursor, pieces);
}

#[test]
fn redis_address() {
    let pieces = &[
        "redis://",
        "rediss://",
        "redis+unix://",
        "unix://",
        "127.0.0.1",
        "[::1]",
        "host",
        ":",
        "6379",
        "/",
        "0",
        "99",
        "@",
        "?",
        "db=1",
        "protocol=resp3",
        "&",
        "#insecure",
        "%",
        "%20",
        "-1",
        " ",
    ];
    check(paceline_fuzz_bodies::redis_address, pieces);
}

#[test]
fn compression() {
    let pieces = &[
        "0gzip",
        "0br, zstd;q=0.5",
        "0identity;q=0",
        "1no-transform",
        "\0",
        "\n",
        "0no-transform",
        "0public, no-transform",
        "1application/json",
        "1text/event-stream",
        "1image/png",
        "2Cookie, accept-encoding",
        "2*",
        "3\"v\"",
        "3W/\"v\"",
        "4gzip",
        "5bytes 0-1/2",
        ",",
        "\"",
    ];
    check(paceline_fuzz_bodies::compression, pieces);
}

#[test]
fn rate_limit_fields() {
    let pieces = &[
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "\n",
        "limit=5, ",
        "remaining=4",
        "remaining=",
        "99",
        "-1",
        ", ",
        "reset=7",
        "\"a\";r=1;t=2",
        ";",
        " ",
    ];
    check(paceline_fuzz_bodies::rate_limit_fields, pieces);
}

#[test]
fn json_body() {
    let pieces = &[
        "application/json",
        "application/",
        "vnd.x+json",
        "; charset=utf-8",
        "text/plain",
        "\n",
        "[",
        "]",
        "1",
        "-1",
        "null",
        ",",
        "\"a\"",
        "{\"a\":",
        "}",
        " ",
        "\u{e9}",
        "1e999",
    ];
    check(paceline_fuzz_bodies::json_body, pieces);
}

#[test]
fn problem() {
    let pieces = &[
        "\"",
        "\\",
        "\n",
        "\0",
        "\u{2028}",
        "\u{e9}",
        "a",
        "</script>",
        "\x7f",
    ];
    check(paceline_fuzz_bodies::problem, pieces);
}

#[test]
fn origin() {
    let pieces = &[
        "http",
        "https",
        "://",
        "localhost",
        "a.example",
        ":",
        "80",
        "443",
        "5173",
        "/",
        "?",
        "#",
        "@",
        "A",
        "[::1]",
        " ",
        "null",
        "*",
        "\u{e9}",
    ];
    check(paceline_fuzz_bodies::origin, pieces);
}

#[test]
fn network() {
    let pieces = &[
        "10.0.0.0",
        "/8",
        "/",
        "32",
        "33",
        "::1",
        "2001:db8::",
        "::ffff:1.2.3.4",
        "/96",
        "/120",
        "/128",
        ".",
        ":",
        " ",
        "0",
        "fe80::1%eth0",
    ];
    check(paceline_fuzz_bodies::network, pieces);
}

#[test]
fn path_prefix() {
    let pieces = &[
        "a", "/", "//", ".", "..", "%2F", "%2e", "%41", "%", "%zz", "b c", "\u{e9}", "?", "#",
        "login", "api/",
    ];
    check(paceline_fuzz_bodies::path_prefix, pieces);
}

#[test]
fn policy_name() {
    let pieces = &[
        "a",
        "login",
        "-",
        "\"",
        "\\",
        " ",
        "\u{e9}",
        "\x7f",
        "0123456789abcdef0123456789abcdef",
    ];
    check(paceline_fuzz_bodies::policy_name, pieces);
}

#[test]
fn accept() {
    let pieces = &[
        "application/json",
        "application/*",
        "*/*",
        "text/csv",
        "application/x-ndjson",
        ";q=",
        "0",
        "1",
        "0.5",
        ";",
        ",",
        " ",
        "\n",
        "q",
    ];
    check(paceline_fuzz_bodies::accept, pieces);
}

#[test]
fn last_event() {
    let pieces = &[
        "0000000000000007",
        "7",
        "-",
        "0",
        "1",
        "2",
        "3",
        "4",
        "x",
        " ",
        "18446744073709551615",
    ];
    check(paceline_fuzz_bodies::last_event, pieces);
}

#[test]
fn sql_literal() {
    let pieces = &[
        "'", "\"", "\\", "\0", "\n", "\r", "\t", "\u{8}", "\u{1a}", "%", "_", "--", "/*", "*/",
        "a", "ř", "🐎", "n", "0", "x'",
    ];
    check(paceline_fuzz_bodies::sql_literal, pieces);
}
