//! Bodies that never come whole, are too long, or are not what they were said to be.

use super::{Connection, MAX_BODY, assert_others_are_answered, serve};

fn post(framing: &str) -> String {
    format!(
        "POST /api/note HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
    )
}

#[test]
fn a_slow_body_is_408() {
    let server = serve();
    for framing in ["content-length: 30", "transfer-encoding: chunked"] {
        let mut connection = Connection::with(&server, post(framing));
        if framing.starts_with("transfer") {
            connection.send("5\r\n{\"tex\r\n").unwrap();
        } else {
            connection.send("{\"tex").unwrap();
        }
        assert_others_are_answered(&server);
        let (answer, _) = connection.until_its_end();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{framing}: {answer}");
        assert!(answer.contains("\"code\":\"body-timeout\""), "{answer}");
    }
}

#[test]
fn a_body_over_the_limit_is_413_that_its_sender_reads_although_it_goes_on_sending() {
    let server = serve();
    let piece = "x".repeat(32 * 1024);
    let most = 8 * 1024 * 1024;
    let mut told = Connection::with(&server, post(&format!("content-length: {most}")));
    let mut chunked = Connection::with(&server, post("transfer-encoding: chunked"));
    let mut sent = 0;
    while sent < most {
        told.send(&piece).unwrap();
        chunked
            .send(format!("{:x}\r\n{piece}\r\n", piece.len()))
            .unwrap();
        sent += piece.len();
    }
    assert!(sent > 100 * MAX_BODY);
    chunked.send("0\r\n\r\n").unwrap();
    for mut connection in [told, chunked] {
        let (head, body) = connection.answer();
        assert!(head.starts_with("http/1.1 413 "), "{head}");
        assert!(
            body.contains("65536"),
            "it says how much may be sent: {body}"
        );
    }
    assert_others_are_answered(&server);
}

#[test]
fn a_body_that_ends_early_or_is_no_chunks_writes_nothing() {
    let server = serve();
    let total = |server: &crate::server::Server| {
        server.get("/api/note?limit=1").json()["pagination"]["total"].clone()
    };
    let before = total(&server);
    let mut cut = Connection::with(&server, post("content-length: 300"));
    cut.send("{\"text\":\"a\"}").unwrap();
    cut.close_half();
    let mut broken = Connection::with(&server, post("transfer-encoding: chunked"));
    broken.send("zz\r\n{\"text\":\"a\"}\r\n0\r\n\r\n").unwrap();
    for mut connection in [cut, broken] {
        let (answer, _) = connection.until_its_end();
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 400 ");
        assert!(is_refused, "{answer}");
    }
    assert_eq!(total(&server), before);
}
