//! A whole answer as the JSON that the sender of the event takes.

use std::borrow::Cow;

use base64::Engine as _;
use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Response};
use serde::Serialize;

use super::{fields, problem};
use crate::event::Shape;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a, H: Serialize> {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(flatten)]
    headers: H,
    body: Cow<'a, str>,
    is_base64_encoded: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Headers<L: Serialize, J: Serialize> {
    MultiValueHeaders(L),
    Headers(J),
}

#[derive(Debug, Serialize)]
struct WithCookies<J: Serialize, C: Serialize> {
    headers: J,
    cookies: C,
}

/// The answer as JSON, or a problem that says why it is too much.
pub(crate) fn payload(shape: Shape, response: &Response<Bytes>) -> Vec<u8> {
    // base64 only makes it longer, so this much never fits, and need not be tried.
    let fits = (response.body().len() <= problem::LIMIT).then(|| encode(shape, response));
    match fits.filter(|payload| payload.len() <= problem::LIMIT) {
        Some(payload) => payload,
        None => encode(shape, &problem::too_large(!is_text(response))),
    }
}

/// Whether the body may go as it is: text that no coding was put on. What the type claims is not asked.
fn is_text(response: &Response<Bytes>) -> bool {
    is_plain(response.headers()) && std::str::from_utf8(response.body()).is_ok()
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn encode(shape: Shape, response: &Response<Bytes>) -> Vec<u8> {
    let headers = response.headers();
    let text = std::str::from_utf8(response.body()).ok();
    let (body, is_base64_encoded) = if let Some(text) = text.filter(|_| is_plain(headers)) {
        (Cow::Borrowed(text), false)
    } else {
        let encoded = base64::engine::general_purpose::STANDARD.encode(response.body());
        (Cow::Owned(encoded), true)
    };
    let status = response.status();
    let description = || status.canonical_reason().unwrap_or("Status").to_owned();
    let is_balancer = matches!(shape, Shape::LoadBalancer { .. });
    macro_rules! answer {
        ($headers:expr) => {
            serde_json::to_vec(&Answer {
                status_code: status.as_u16(),
                status_description: is_balancer
                    .then(|| format!("{} {}", status.as_u16(), description())),
                headers: $headers,
                body,
                is_base64_encoded,
            })
        };
    }
    let written = match shape {
        Shape::Rest | Shape::LoadBalancer { multi_value: true } => {
            answer!(Headers::<_, ()>::MultiValueHeaders(fields::lists(headers)))
        }
        Shape::LoadBalancer { multi_value: false } => {
            let mut joined = fields::joined(headers);
            for (index, cookie) in fields::cookies(headers).into_iter().enumerate() {
                joined.insert(fields::spelling(index).into(), cookie.into_owned());
            }
            answer!(Headers::<(), _>::Headers(joined))
        }
        Shape::Http => answer!(WithCookies {
            headers: fields::joined(headers),
            cookies: fields::cookies(headers),
        }),
    };
    written.expect("names and values of an answer are text, which JSON holds")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(headers: &[(&'static str, &'static str)], body: impl Into<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(body.into());
        for (name, value) in headers {
            response
                .headers_mut()
                .append(*name, http::HeaderValue::from_static(value));
        }
        response
    }

    fn written(shape: Shape, response: &Response<Bytes>) -> Value {
        serde_json::from_slice(&payload(shape, response)).expect("JSON")
    }

    #[test]
    fn each_shape_has_its_own_headers() {
        let headers = [
            ("content-type", "text/plain"),
            ("vary", "accept"),
            ("vary", "origin"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("connection", "close"),
        ];
        let response = answer(&headers, "hello");
        let lists = json!({"content-type": ["text/plain"], "vary": ["accept", "origin"], "set-cookie": ["a=1", "b=2"]});
        let body = json!({"statusCode": 200, "body": "hello", "isBase64Encoded": false});
        let with = |more: Value| {
            let mut expected = body.clone();
            let more = more.as_object().expect("members").clone();
            expected.as_object_mut().expect("members").extend(more);
            expected
        };
        for (shape, expected) in [
            (Shape::Rest, json!({"multiValueHeaders": lists})),
            (
                Shape::LoadBalancer { multi_value: true },
                json!({"multiValueHeaders": lists, "statusDescription": "200 OK"}),
            ),
            (
                Shape::LoadBalancer { multi_value: false },
                json!({
                    "headers": {"content-type": "text/plain", "vary": "accept, origin", "set-cookie": "a=1", "Set-cookie": "b=2"},
                    "statusDescription": "200 OK"
                }),
            ),
            (
                Shape::Http,
                json!({"headers": {"content-type": "text/plain", "vary": "accept, origin"}, "cookies": ["a=1", "b=2"]}),
            ),
        ] {
            assert_eq!(written(shape, &response), with(expected), "{shape:?}");
        }
    }

    #[test]
    fn trap_12_base64_is_for_what_is_no_text() {
        let gzip = ("content-encoding", "gzip");
        let identity = ("content-encoding", "identity");
        let binary = [0x1f, 0x8b, 0xff, 0x00];
        for (headers, body, expected, is_base64) in [
            (&[][..], &b"{\"a\":1}"[..], "{\"a\":1}", false),
            (
                &[("content-type", "image/png")][..],
                &b"text"[..],
                "text",
                false,
            ),
            (&[identity][..], &b"text"[..], "text", false),
            (&[gzip][..], &b"text"[..], "dGV4dA==", true),
            (&[][..], &binary[..], "H4v/AA==", true),
            (&[][..], "caf\u{e9}".as_bytes(), "caf\u{e9}", false),
            (&[][..], &b""[..], "", false),
        ] {
            let found = written(Shape::Http, &answer(headers, body.to_vec()));
            assert_eq!(
                (&found["body"], &found["isBase64Encoded"]),
                (&json!(expected), &json!(is_base64))
            );
        }
    }

    #[test]
    fn trap_12_the_limit_is_counted_after_base64() {
        let gzip = [("content-encoding", "gzip")];
        // Four and a half megabytes are six in base64.
        for (headers, length, status) in [
            (&[][..], 6 * 1024 * 1024 - 200, 200),
            (&[][..], 6 * 1024 * 1024, 413),
            (&[][..], 7 * 1024 * 1024, 413),
            (&gzip[..], 4_700_000, 200),
            (&gzip[..], 4_720_000, 413),
        ] {
            let response = answer(headers, vec![b'a'; length]);
            let payload = payload(Shape::Http, &response);
            assert!(payload.len() <= problem::LIMIT);
            let found: Value = serde_json::from_slice(&payload).expect("JSON");
            assert_eq!(found["statusCode"], status, "{length}");
        }
        let refused = written(Shape::Rest, &answer(&gzip, vec![b'a'; 5_000_000]));
        assert_eq!(
            refused["multiValueHeaders"]["content-type"],
            json!(["application/problem+json"])
        );
        assert_eq!(refused["multiValueHeaders"].get("content-encoding"), None);
        let told: Value =
            serde_json::from_str(refused["body"].as_str().expect("text")).expect("a problem");
        assert_eq!(told["code"], "response-too-large");
        for word in [
            "6291456",
            "base64",
            "RESPONSE_STREAM",
            "PACELINE_LAMBDA_STREAMING",
        ] {
            assert!(
                told["detail"]
                    .as_str()
                    .is_some_and(|detail| detail.contains(word)),
                "{word}: {told}"
            );
        }
    }

    #[test]
    fn odd_header_values_do_not_break_the_answer() {
        let mut response = answer(&[], "x");
        let value = http::HeaderValue::from_bytes(b"caf\xe9").expect("a value");
        response.headers_mut().insert("x-name", value);
        assert_eq!(
            written(Shape::Http, &response)["headers"]["x-name"],
            "caf\u{e9}"
        );
    }
}
