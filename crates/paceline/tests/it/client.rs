//! A plain HTTP client that changes nothing on the way: no redirects, no decompression, no errors for 4xx.

use std::io::Read;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Request, StatusCode};

/// One answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The one value of a header.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let first = values
            .next()
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        assert!(
            values.next().is_none(),
            "{name} stands twice in {:?}",
            self.headers
        );
        first.to_str().unwrap()
    }

    /// Asserts a problem document with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(
            problem["detail"].is_string() || problem["errors"].is_array(),
            "{problem}"
        );
        for code in codes(&problem) {
            assert!(is_kebab_case(code), "{code} in {problem}");
        }
        problem
    }
}

/// The code of a problem document and those of its errors.
pub(crate) fn codes(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    std::iter::once(problem)
        .chain(errors)
        .filter_map(|named| named["code"].as_str())
        .collect()
}

fn is_kebab_case(code: &str) -> bool {
    code.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Sends one request; `headers` are lines such as `"If-None-Match: \"x\""`.
#[track_caller]
pub(crate) fn send(method: &str, url: &str, headers: &[&str], body: Option<&[u8]>) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    for line in headers {
        let (name, value) = line.split_once(':').expect("a header line");
        request = request.header(name, value.trim());
    }
    let agent = agent();
    let answered = match body {
        Some(body) => agent.run(request.body(body).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    let response = answered.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let (parts, body) = response.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().read_to_end(&mut bytes).unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: bytes,
    }
}

/// Opens a response without reading its body.
pub(crate) fn open(
    url: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, impl Read + use<>) {
    let mut request = Request::builder().uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = agent().run(request.body(()).unwrap()).unwrap().into_parts();
    (parts.status, parts.headers, body.into_reader())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .into()
}
