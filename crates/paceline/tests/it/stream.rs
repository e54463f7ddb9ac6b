//! The live stream: changes, resume and drain.

use std::io::{BufRead, BufReader, Read};

use crate::client;
use crate::server::Server;

/// Reads one event: its id, name and data.
pub(crate) fn next_event(reader: &mut impl BufRead) -> (String, String, String) {
    let (mut id, mut name, mut data) = (String::new(), String::new(), String::new());
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the stream ended");
        match line.trim_end().split_once(": ") {
            Some(("id", value)) => value.clone_into(&mut id),
            Some(("event", value)) => value.clone_into(&mut name),
            Some(("data", value)) => data.push_str(value),
            _ if line == "\n" && !data.is_empty() => return (id, name, data),
            _ => {}
        }
    }
}

fn listen(server: &Server, last: Option<&str>) -> BufReader<impl Read + use<>> {
    let headers: Vec<_> = last.map(|id| ("Last-Event-ID", id)).into_iter().collect();
    let (status, headers, body) = client::open(&format!("{}/api/stream", server.base), &headers);
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "text/event-stream");
    BufReader::new(body)
}

#[test]
fn a_change_is_told_and_a_reconnect_misses_none() {
    let server = Server::demo(&[]);
    let mut stream = listen(&server, None);
    let change = |stock: u32| {
        let body = format!(r#"{{"stock":{stock}}}"#);
        assert_eq!(
            server
                .send_json("PATCH", "/api/products/1", &[], &body)
                .status,
            200
        );
    };
    change(11);
    let (first, name, data) = next_event(&mut stream);
    assert_eq!(name, "change");
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["resource"], "products");
    assert_eq!(data["key"], "1");
    drop(stream);
    change(12);
    change(13);
    let mut resumed = listen(&server, Some(&first));
    let second = next_event(&mut resumed);
    let third = next_event(&mut resumed);
    assert_eq!((second.1.as_str(), third.1.as_str()), ("change", "change"));
    assert!(
        first < second.0 && second.0 < third.0,
        "{first} {} {}",
        second.0,
        third.0
    );
}

#[test]
fn an_unknown_last_event_id_is_told_to_start_over() {
    let server = Server::demo(&[]);
    let mut stream = listen(&server, Some("0000-5"));
    assert_eq!(
        server
            .send_json("PATCH", "/api/products/1", &[], r#"{"stock":3}"#)
            .status,
        200
    );
    assert_eq!(next_event(&mut stream).1, "reset");
}

#[test]
fn a_stop_ends_the_streams() {
    let server = Server::demo(&[]);
    let mut stream = listen(&server, None);
    server.terminate();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(server.wait().0.success());
}
