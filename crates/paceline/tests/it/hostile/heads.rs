//! Heads that never come, come byte by byte, are too long, or come many at once.

use std::fmt::Write as _;
use std::time::Instant;

use super::{Connection, ENDED, WAIT, assert_others_are_answered, serve};

#[test]
fn silence_and_half_a_head_end_the_connection() {
    let server = serve();
    let beginnings: [&[u8]; 5] = [
        b"",
        b"G",
        b"PRI * HTTP/2.0\r\n",
        b"GET /api/note/7 HTTP/1.1\r\nhost: local",
        b"POST /api/note HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n",
    ];
    let mut connections = beginnings.map(|bytes| Connection::with(&server, bytes));
    assert_others_are_answered(&server);
    for (connection, bytes) in connections.iter_mut().zip(beginnings) {
        let (answer, _) = connection.until_its_end();
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 408");
        assert!(is_refused, "{bytes:?}: {answer}");
    }
}

#[test]
fn a_head_that_trickles_has_no_more_time_than_one_that_stops() {
    let server = serve();
    let mut connection =
        Connection::with(&server, "GET /api/note/7 HTTP/1.1\r\nhost: localhost\r\n");
    let start = Instant::now();
    // The wait is for the whole head, whatever comes meanwhile.
    while connection.send("x").is_ok() && connection.lasts(WAIT / 20) {
        assert!(start.elapsed() < ENDED, "the head is still waited for");
    }
    assert!(start.elapsed() > WAIT / 2);
    assert_others_are_answered(&server);
}

#[test]
fn an_idle_connection_is_ended_after_its_answer() {
    let server = serve();
    let mut connection = Connection::with(
        &server,
        "GET /api/note/7 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    );
    assert!(connection.answer().0.starts_with("http/1.1 200"));
    let (rest, took) = connection.until_its_end();
    assert_eq!(rest, "");
    assert!(
        took >= WAIT / 2,
        "it may be used again for a while: {took:?}"
    );
}

#[test]
fn floods_of_fields_are_431_and_long_targets_refused() {
    let server = serve();
    let check = |head: String, statuses: &[&str]| {
        let mut connection = Connection::open(&server);
        // The server may have refused before all is sent.
        let _ = connection.send(&head);
        let answer = connection.until_its_end().0;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(statuses.contains(&status), "{head:.60}...: {answer:.200}");
    };
    let request =
        |fields: &str| format!("GET /api/note/7 HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n");
    let many = (0..300).fold(String::new(), |mut fields, number| {
        let _ = write!(fields, "x-{number}: 1\r\n");
        fields
    });
    check(request(&many), &["431"]);
    check(request(&format!("x: {}\r\n", "y".repeat(70_000))), &["431"]);
    check(request(&"x: yyyyyyyy\r\n".repeat(8_000)), &["431"]);
    check(
        format!(
            "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "a".repeat(70_000)
        ),
        &["414", "431"],
    );
    check(request("no colon\r\n"), &["400"]);
    check(request("host: localhost\r\n"), &["400", "421"]);
    check(
        "GET /api/note/7 HTTP/9.9\r\n\r\n".to_owned(),
        &["400", "505"],
    );
    check(
        request("content-length: 5\r\ncontent-length: 6\r\n"),
        &["400"],
    );
    assert_others_are_answered(&server);
}

#[test]
fn a_pipeline_is_answered_in_its_order() {
    let server = serve();
    let requests = (1..=300).fold(String::new(), |mut requests, id| {
        let _ = write!(
            requests,
            "GET /api/note/{id}?fields=id HTTP/1.1\r\nhost: localhost\r\n\r\n"
        );
        requests
    });
    let mut connection = Connection::with(&server, requests);
    for id in 1..=300 {
        let (head, body) = connection.answer();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, format!("{{\"id\":{id}}}"));
    }
    assert_eq!(connection.received(), 0);
}
