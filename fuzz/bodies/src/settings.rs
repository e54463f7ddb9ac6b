//! Texts of a configuration, and fields that choose: origins, networks, path prefixes, `Accept`, `Last-Event-ID`.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue};
use paceline_http::client_ip::TrustedProxies;
use paceline_http::cors::Origin;
use paceline_http::rate_limit::{PathPrefix, Policy, Quota};
use paceline_http::stream::rows::Format;
use paceline_http::stream::sse::{
    Broadcaster, Delivery, EventId, EventName, Filter, Options, last_event_id,
};

/// An origin is what a browser could send: no path, no capital, one of two schemes, and one header line.
///
/// # Panics
/// When that does not hold.
pub fn origin(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if Origin::new(text).is_ok() {
        let (scheme, rest) = text.split_once("://").expect("a scheme");
        assert!(["http", "https"].contains(&scheme), "{text}");
        assert!(
            !rest.is_empty() && !rest.contains(['/', '?', '#', '@', ' ']),
            "{text}"
        );
        assert!(
            !text.bytes().any(|byte| byte.is_ascii_uppercase()),
            "{text}"
        );
        HeaderValue::from_str(text).expect("a header value");
    }
}

/// A network that is read contains its own first address and is read again from what it prints.
///
/// # Panics
/// When that does not hold.
pub fn network(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(proxies) = TrustedProxies::parse([text]) else {
        return;
    };
    let [network] = proxies.networks() else {
        panic!("one network of one text: {proxies:?}");
    };
    assert!(proxies.contains(network.network()), "{text}");
    assert!(proxies.contains(network.addr()), "{text}");
    let again = TrustedProxies::parse([network.to_string()]).expect("it is what it prints");
    assert_eq!(again, proxies, "{text}");
}

/// A path is under the prefix of its own text, however its bytes are encoded, and so is what lies below it; a
/// sibling that begins alike is not.
///
/// # Panics
/// When that does not hold.
pub fn path_prefix(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let path = format!("/{text}");
    let Ok(prefix) = PathPrefix::new(&path) else {
        return;
    };
    assert!(prefix.matches(&path), "{path}");
    assert!(prefix.matches(&format!("{path}/x")), "{path}");
    assert!(PathPrefix::all().matches(&path), "{path}");
    let is_plain = !path.contains(['%', '.']) && !path.contains("//") && !path.ends_with('/');
    if is_plain {
        let encoded = path.split('/').map(|segment| {
            segment.bytes().fold(String::new(), |mut encoded, byte| {
                write!(encoded, "%{byte:02X}").expect("writing to a String cannot fail");
                encoded
            })
        });
        let encoded = encoded.collect::<Vec<_>>().join("/");
        assert!(prefix.matches(&encoded), "{encoded} of {path}");
        assert!(prefix.matches(&format!("/.{path}//")), "{path}");
        assert!(!prefix.matches(&format!("{path}x")), "{path}");
    }
}

/// The name of a policy fits a header string, or is refused.
///
/// # Panics
/// When that does not hold.
pub fn policy_name(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let quota = Quota::new(
        1.try_into().expect("not zero"),
        std::time::Duration::from_secs(1),
    );
    let policy = Policy::new(text, quota.expect("a whole second"));
    let fits = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| (0x21..0x7f).contains(&byte) && !b"\"\\".contains(&byte));
    assert_eq!(policy.is_ok(), fits, "{text:?}");
}

/// `Accept` of a stream of rows, a line of `data` each: lines mean what one joined line means, letter case nothing,
/// and a refusal is a 406.
///
/// # Panics
/// When that does not hold.
pub fn accept(data: &[u8]) {
    let lines: Vec<&[u8]> = data
        .split(|&byte| byte == b'\n')
        .filter(|line| line.iter().all(|&byte| is_visible(byte)))
        .collect();
    let chosen = |lines: &[&[u8]]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_bytes(line).expect("visible"));
        }
        Format::from_headers(&headers).map_err(|problem| problem.status().as_u16())
    };
    if lines.is_empty() {
        return;
    }
    let joined = lines.join(&b", "[..]);
    let several = chosen(&lines);
    assert_eq!(several, chosen(&[&joined]));
    assert_eq!(several, chosen(&[&joined.to_ascii_uppercase()]));
    assert!(several.is_ok() || several == Err(406), "{several:?}");
}

fn is_visible(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

/// `Last-Event-ID`, whatever it holds: exactly the events after it, or a reset.
///
/// # Panics
/// When that does not hold.
pub fn last_event(data: &[u8]) {
    const EPOCH: u64 = 7;
    const EVENTS: u64 = 3;
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let headers = HeaderMap::from_iter([(HeaderName::from_static("last-event-id"), value)]);
    let last = last_event_id(&headers);
    let options = Options::default().with_buffer_events(NonZeroUsize::new(2).expect("not zero"));
    let broadcaster = Broadcaster::with_epoch(options, EPOCH);
    let name = EventName::new("e").expect("a name");
    for number in 1..=EVENTS {
        broadcaster
            .publish(&name, number.to_string())
            .expect("it fits");
    }
    let subscription = broadcaster.subscribe(last.as_deref(), Filter::all());
    let mut subscription = subscription.expect("there is room");
    let mut delivered = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(delivery)) = pin!(subscription.next()).poll(&mut context) {
        delivered.push(delivery);
    }
    let id = last
        .as_deref()
        .and_then(|text| text.parse::<EventId>().ok());
    let known = id.filter(|id| id.epoch == EPOCH && (1..=EVENTS).contains(&id.sequence));
    match (last.is_some(), known) {
        (false, _) => assert!(delivered.is_empty(), "a new client begins now"),
        (true, Some(id)) => {
            let expected = EVENTS - id.sequence;
            let is_event = |delivery: &Delivery| matches!(delivery, Delivery::Event(_));
            assert_eq!(delivered.len() as u64, expected, "{id}");
            assert!(delivered.iter().all(is_event), "{id}: {delivered:?}");
        }
        (true, None) => {
            let is_reset = matches!(&*delivered, [Delivery::Reset(_)]);
            assert!(is_reset, "{last:?}: {delivered:?}");
        }
    }
}
