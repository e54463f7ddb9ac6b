//! One request through a stack of layers around a scripted handler.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::ConditionalLayer;
use tower::{Layer, ServiceExt, service_fn};

/// Header fields as a test writes them.
pub(crate) type Lines<'a> = &'a [(&'static str, &'a str)];

/// What a handler answers, whatever it is asked.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer as the client sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How often the handler ran.
    pub(crate) runs: usize,
}

impl Answer {
    /// The lines of a field, joined as a recipient may.
    pub(crate) fn field(&self, name: &str) -> String {
        let lines: Vec<_> = self
            .headers
            .get_all(name)
            .iter()
            .map(|line| line.to_str().unwrap())
            .collect();
        lines.join(", ")
    }
}

pub(crate) fn headers(lines: Lines<'_>) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        )
    };
    lines.iter().map(pair).collect()
}

/// A handler that answers 200 with 4 KiB of JSON and these fields besides.
pub(crate) fn json(lines: Lines<'_>) -> Script {
    let mut all = headers(&[("content-type", "application/json")]);
    all.extend(headers(lines));
    Script {
        status: 200,
        headers: all,
        body: Bytes::from("{\"name\":\"Åsa\"},".repeat(256)),
    }
}

impl Script {
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends one request through compression, outside, and conditional requests, inside.
    pub(crate) async fn ask(&self, method: Method, lines: Lines<'_>) -> Answer {
        let runs = Arc::new(AtomicUsize::new(0));
        let handler = service_fn({
            let (script, runs) = (self.clone(), Arc::clone(&runs));
            move |_: Request<()>| {
                runs.fetch_add(1, Ordering::Relaxed);
                let mut response = Response::new(Full::new(script.body.clone()));
                *response.status_mut() = StatusCode::from_u16(script.status).unwrap();
                *response.headers_mut() = script.headers.clone();
                async { Ok::<_, Infallible>(response) }
            }
        });
        let service = (CompressionLayer::default(), ConditionalLayer::new()).layer(handler);
        let mut request = Request::builder().method(method).body(()).unwrap();
        *request.headers_mut() = headers(lines);
        let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            runs: runs.load(Ordering::Relaxed),
        }
    }
}
