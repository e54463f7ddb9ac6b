//! Whole layers around a service whose answers carry any field values: what they must hold whatever they read.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::io::Read as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::extract::{FromRequest as _, Request};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::{BodyExt as _, Full};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::EntityTag;
use paceline_http::problem::Problem;
use paceline_http::problem::extract::Json;
use paceline_http::rate_limit::{FakeClock, HeaderDialect, Policy, Quota, RateLimitLayer};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// What the compressed service answers: enough to be worth it, too little to be encoded elsewhere.
const TEXT: &[u8] = &[b'7'; 2_048];

/// What becomes of `work`, which waits for nothing.
fn finished<F: Future>(work: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(work).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}

/// `names` with values: a line of `data` each, whose first byte says of which name.
fn fields(data: &[u8], names: &[HeaderName]) -> Vec<(HeaderName, HeaderValue)> {
    let lines = data.split(|&byte| byte == b'\n').take(32);
    let field = |line: &[u8]| {
        let (&first, value) = line.split_first()?;
        let name = names[usize::from(first) % names.len()].clone();
        Some((name, HeaderValue::from_bytes(value).ok()?))
    };
    lines.filter_map(field).collect()
}

/// `Accept-Encoding` and `Cache-Control` of a request; `Cache-Control`, `Content-Type`, `Vary`, `ETag`,
/// `Content-Encoding` and `Content-Range` of its answer: the answer decodes to what was sent and says its length; it
/// is untouched where it says `no-transform`; an encoded one varies and has a tag of its own.
///
/// # Panics
/// When that does not hold.
pub fn compression(data: &[u8]) {
    let (asked, answered) = data.split_at(data.iter().position(|&b| b == 0).unwrap_or(0));
    let names = [http::header::ACCEPT_ENCODING, CACHE_CONTROL];
    let mut request = Request::new(Body::empty());
    request.headers_mut().extend_lines(fields(asked, &names));
    let names = [
        CACHE_CONTROL,
        CONTENT_TYPE,
        VARY,
        ETAG,
        CONTENT_ENCODING,
        http::header::CONTENT_RANGE,
    ];
    let mut plain = Response::new(Full::new(Bytes::from_static(TEXT)));
    plain.headers_mut().extend_lines(fields(answered, &names));
    let sent = plain.headers().clone();
    let service = CompressionLayer::default().layer(service_fn(move |_| {
        ready(Ok::<_, Infallible>(plain.clone()))
    }));
    let answer = finished(service.oneshot(request)).unwrap_or_else(|never| match never {});
    let (parts, body) = answer.into_parts();
    let body = finished(body.collect()).expect("a whole body").to_bytes();
    let said = |name: &HeaderName| parts.headers.get(name);
    if let Some(length) = said(&CONTENT_LENGTH) {
        assert_eq!(length, &*body.len().to_string());
    }
    if sent.contains_key(CONTENT_ENCODING) || says_no_transform(&sent) {
        assert_eq!(body, TEXT, "untouched: {sent:?}");
        assert_eq!(said(&CONTENT_ENCODING), sent.get(CONTENT_ENCODING));
        return;
    }
    let Some(coding) = said(&CONTENT_ENCODING) else {
        assert_eq!(body, TEXT);
        return;
    };
    assert_eq!(decoded(coding, &body), TEXT, "{coding:?}");
    let mut varies = parts.headers.get_all(VARY).iter();
    let is_named = |value: &HeaderValue| {
        let value = value.as_bytes().to_ascii_lowercase();
        value == b"*"
            || value.split(|&byte| byte == b',').any(|name| {
                let name = name.trim_ascii();
                name == b"accept-encoding" || name == b"*"
            })
    };
    assert!(varies.any(is_named), "{:?}", parts.headers);
    let before = sent
        .get(ETAG)
        .and_then(|tag| EntityTag::parse(tag.as_bytes()).ok());
    if let Some(before) = before.filter(|tag| !tag.is_weak()) {
        assert_ne!(said(&ETAG), Some(before.header_value()), "{sent:?}");
    }
}

/// Adds lines instead of replacing them.
trait ExtendLines {
    fn extend_lines(&mut self, lines: Vec<(HeaderName, HeaderValue)>);
}

impl ExtendLines for HeaderMap {
    fn extend_lines(&mut self, lines: Vec<(HeaderName, HeaderValue)>) {
        for (name, value) in lines {
            self.append(name, value);
        }
    }
}

/// A line that is this directive and nothing else.
fn says_no_transform(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CACHE_CONTROL).iter();
    lines.any(|line| line.as_bytes().eq_ignore_ascii_case(b"no-transform"))
}

fn decoded(coding: &HeaderValue, body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let read = match coding.as_bytes() {
        b"gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut plain),
        b"deflate" => flate2::read::ZlibDecoder::new(body).read_to_end(&mut plain),
        b"br" => brotli::Decompressor::new(body, 4_096).read_to_end(&mut plain),
        b"zstd" => zstd::Decoder::new(body)
            .expect("a decoder")
            .read_to_end(&mut plain),
        other => panic!("no coding of ours: {other:?}"),
    };
    read.expect("valid bytes");
    plain
}

/// `RateLimit` fields that a service inside has written, whatever they say: ours are there as well, and of single
/// values the scarcer one stays. The first byte chooses the dialect.
///
/// # Panics
/// When that does not hold.
pub fn rate_limit_fields(data: &[u8]) {
    let (first, data) = data.split_first().unwrap_or((&0, &[]));
    let dialects = HeaderDialect::ALL;
    let (dialect, _) = dialects[usize::from(*first) % dialects.len()];
    let names = ["ratelimit", "ratelimit-remaining", "x-ratelimit-remaining"];
    let written = fields(data, &names.map(HeaderName::from_static));
    let mut inner = Response::new(Full::new(Bytes::new()));
    inner.headers_mut().extend_lines(written);
    let before = inner.headers().clone();
    let quota = Quota::new(
        10.try_into().expect("not zero"),
        std::time::Duration::from_mins(1),
    );
    let policy = Policy::new("p", quota.expect("a whole window")).expect("a name");
    let service = RateLimitLayer::new([policy])
        .with_clock(FakeClock::default())
        .with_headers(dialect)
        .layer(service_fn(move |_| {
            ready(Ok::<_, Infallible>(inner.clone()))
        }));
    let request = Request::new(Body::empty());
    let answer = finished(service.oneshot(request)).unwrap_or_else(|never| match never {});
    assert_eq!(answer.status(), 200);
    let told = |name: &str| answer.headers().get(name);
    let number = |value: &HeaderValue| value.to_str().ok()?.trim().parse::<u32>().ok();
    match dialect {
        HeaderDialect::Draft10 => {
            let mut lines = answer.headers().get_all("ratelimit").iter();
            let ours = lines.next_back().expect("ours");
            assert_eq!(ours, "\"p\";r=9;t=60");
            assert!(lines.eq(before.get_all("ratelimit").iter()), "theirs stay");
        }
        HeaderDialect::Draft7 => {
            let value = told("ratelimit").expect("a value");
            let is_theirs = before.get("ratelimit") == Some(value);
            assert!(
                is_theirs || value == "limit=10, remaining=9, reset=60",
                "{value:?}"
            );
        }
        HeaderDialect::Draft6 | HeaderDialect::Legacy | HeaderDialect::LegacySeconds => {
            let name = if dialect == HeaderDialect::Draft6 {
                names[1]
            } else {
                names[2]
            };
            let theirs = before.get(name).and_then(number);
            let expected = theirs.map_or(9, |theirs| theirs.min(9));
            assert_eq!(told(name).and_then(number), Some(expected), "{before:?}");
        }
        _ => assert_eq!(answer.headers(), &before),
    }
}

/// A body that handlers read as JSON, with any content type: the first line is the type. It is read, or refused with
/// one of four statuses and a document that is JSON; only a JSON type is read.
///
/// # Panics
/// When that does not hold.
pub fn json_body(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let kind = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default().to_vec();
    let Ok(value) = HeaderValue::from_bytes(kind) else {
        return;
    };
    let ask = |value: HeaderValue| {
        let mut request = Request::new(Body::from(body.clone()));
        request.headers_mut().insert(CONTENT_TYPE, value);
        finished(Json::<(u32, Option<String>)>::from_request(request, &()))
    };
    let is_json = kind
        .to_ascii_lowercase()
        .windows(4)
        .any(|word| word == b"json");
    for read in [
        ask(value),
        ask(HeaderValue::from_static("application/json")),
    ] {
        match read {
            Ok(_) => {}
            Err(problem) => assert_is_sound(&problem),
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(kind)
        && !is_json
    {
        let refused = ask(value).expect_err("it is not said to be JSON");
        assert_eq!(refused.status(), 415, "{kind:?}");
    }
}

fn assert_is_sound(problem: &Problem) {
    let status = problem.status().as_u16();
    assert!([400, 413, 415, 422].contains(&status), "{problem:?}");
    let document: serde_json::Value =
        serde_json::from_slice(&problem.to_json()).expect("a problem is JSON");
    assert_eq!(document["status"], status);
    let text = document.to_string();
    assert!(!text.contains("u32") && !text.contains("tuple"), "{text}");
}

/// Any text as the detail, parameter and pointer of a problem: the document says exactly that.
///
/// # Panics
/// When that does not hold.
pub fn problem(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let problem = Problem::bad_request(text.clone())
        .with_title(text.clone())
        .with_parameter(text.clone());
    let document: serde_json::Value =
        serde_json::from_slice(&problem.to_json()).expect("a problem is JSON");
    for member in ["title", "detail", "parameter"] {
        assert_eq!(document[member], *text, "{member}");
    }
}
