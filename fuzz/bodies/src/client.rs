//! Whose request it is, and what a browser makes of an event stream.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use paceline_http::client_ip::{ForwardingHeader, TrustedProxies, resolve};
use paceline_http::stream::sse::{Event, EventId, EventName};

const PROXY: &str = "10.0.0.1";
const CLIENT: &str = "203.0.113.9";

/// `X-Forwarded-For` and `Forwarded`: whatever a client writes to the left of what the trusted proxy wrote, the answer
/// is what the proxy saw; a peer that is not trusted is the client itself.
///
/// # Panics
/// When that does not hold.
pub fn client_address(data: &[u8]) {
    for (header, name, seen) in [
        (
            ForwardingHeader::XForwardedFor,
            "x-forwarded-for",
            CLIENT.to_owned(),
        ),
        (
            ForwardingHeader::Forwarded,
            "forwarded",
            format!("proto=http;for={CLIENT}"),
        ),
    ] {
        let trusted = TrustedProxies::parse(["10.0.0.0/8"])
            .expect("a network")
            .with_header(header);
        let written = [data, b",", seen.as_bytes()].concat();
        let Ok(value) = HeaderValue::from_bytes(&written) else {
            continue;
        };
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value)]);
        let resolved = |peer: &str| resolve(address(peer), &headers, &trusted);
        assert_eq!(resolved(PROXY), address(CLIENT), "{header:?}");
        assert_eq!(resolved("192.0.2.1"), address("192.0.2.1"), "{header:?}");
        assert_eq!(
            resolved("::ffff:192.0.2.1"),
            address("192.0.2.1"),
            "{header:?}"
        );
        let Ok(value) = HeaderValue::from_bytes(data) else {
            continue;
        };
        let headers = HeaderMap::from_iter([(http::HeaderName::from_static(name), value)]);
        let alone = resolve(address(PROXY), &headers, &trusted);
        assert_eq!(alone, alone.to_canonical(), "{header:?}");
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// An event made of any text reads as that one event, as the HTML standard reads it.
///
/// # Panics
/// When that does not hold.
pub fn event_stream(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let id = EventId {
        epoch: 1700,
        sequence: data.len() as u64,
    };
    let mut event = Event::new().with_comment(text.to_owned()).with_id(id);
    event = event.with_data(text.to_owned());
    let name = text.chars().rev().collect::<String>();
    if let Ok(name) = EventName::new(&name) {
        event = event.with_name(name);
    }
    let block = event.to_bytes();
    let sent = std::str::from_utf8(&block).expect("text stays text");
    let expected = text.replace("\r\n", "\n").replace('\r', "\n");
    let (dispatched, last_id) = dispatched(sent);
    assert_eq!(dispatched, [expected], "one event with that text");
    assert_eq!(last_id, id.to_string());
}

/// The id that a client sends back: what is read is written the same.
///
/// # Panics
/// When that does not hold.
pub fn event_id(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(id) = text.parse::<EventId>() {
        assert_eq!(id.to_string(), text);
    }
}

/// The data of each event of whole blocks, and the last id.
fn dispatched(stream: &str) -> (Vec<String>, String) {
    let (mut events, mut data, mut last_id) = (Vec::new(), Vec::new(), String::new());
    for line in stream.split_inclusive('\n') {
        let line = line.strip_suffix('\n').expect("every line ends");
        assert!(!line.contains('\r'), "a line end inside a line");
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                if !data.is_empty() {
                    events.push(data.join("\n"));
                }
                data.clear();
            }
            "data" => data.push(value.to_owned()),
            "id" => value.clone_into(&mut last_id),
            _ => {}
        }
    }
    assert!(data.is_empty(), "the block ends");
    (events, last_id)
}
